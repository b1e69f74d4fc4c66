import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { routes } from '../../src/api/routes.js';
import { errorTable } from '../../src/errors.js';
import { startTestServer, type TestServer } from '../support/server.js';

interface Operation {
  operationId: string;
  parameters?: { name: string }[];
  requestBody?: { content: Record<string, { schema: Record<string, unknown> }> };
  responses: Record<
    string,
    { description: string; content: Record<string, { schema: Record<string, unknown> }> }
  >;
}

let server: TestServer;
let document: {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: object };
};
before(async () => {
  server = await startTestServer();
  document = (await (await fetch(`${server.url}/openapi.json`)).json()) as typeof document;
});
after(() => server.close());

test('every route is there, with its body, answers and errors', () => {
  assert.equal(document.openapi, '3.1.0');
  for (const route of routes) {
    const operation = document.paths[route.path.replace(/:(\w+)$/, '{$1}')]?.[route.method.toLowerCase()];
    assert.ok(operation, `${route.method} ${route.path}`);
    assert.equal('requestBody' in operation, route.request !== undefined);
    assert.ok(operation.responses['200']);
    for (const code of route.errors) {
      assert.match(operation.responses[errorTable[code].status]!.description, new RegExp(code));
    }
  }
  const count = Object.values(document.paths).reduce((sum, methods) => sum + Object.keys(methods).length, 0);
  assert.equal(count, routes.length);
});

test('operation ids are unique', () => {
  const ids = Object.values(document.paths).flatMap((methods) =>
    Object.values(methods).map((each) => each.operationId),
  );
  assert.equal(new Set(ids).size, ids.length);
});

test('request schemas describe the wire', () => {
  const schema = document.paths['/v1/completions']!.post!.requestBody!.content['application/json']!
    .schema as {
    properties: Record<string, object>;
    required: string[];
  };
  assert.deepEqual(schema.required, ['prompt']);
  for (const field of ['max_tokens', 'stream', 'logit_bias', 'session_id', 'min_p', 'grammar']) {
    assert.ok(schema.properties[field], field);
  }
});

test('streams are described beside whole answers', () => {
  const { content } = document.paths['/v1/chat/completions']!.post!.responses['200']!;
  assert.deepEqual(Object.keys(content), ['application/json', 'text/event-stream']);
});

test('every path with a parameter declares it', () => {
  for (const [path, methods] of Object.entries(document.paths)) {
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    for (const operation of Object.values(methods)) {
      assert.deepEqual(
        (operation.parameters ?? []).map(({ name }) => name),
        names,
      );
    }
  }
});

import { z } from 'zod';
import { type ErrorCode, errorTable } from '../errors.js';
import { packageVersion } from '../support/version.js';
import type { Route } from './route.js';
import { errorBody } from './schemas/common.js';

/** What a route answers whoever may not call it. */
const ACCESS_ERRORS = {
  open: [],
  key: ['invalid_api_key'],
  admin: ['invalid_api_key', 'permission_denied'],
} as const satisfies Record<string, ErrorCode[]>;

const rendered = new WeakMap<readonly Route[], string>();

/** The OpenAPI 3.1 document of the routes, as JSON; made once. */
export function openapiDocument(routes: readonly Route[]): string {
  const known = rendered.get(routes);
  if (known !== undefined) return known;
  const text = JSON.stringify(documentOf(routes));
  rendered.set(routes, text);
  return text;
}

function documentOf(routes: readonly Route[]) {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)$/, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Sluice', version: packageVersion() },
    paths,
    components: { schemas: { Error: z.toJSONSchema(errorBody, { io: 'output' }) } },
  };
}

function operationOf(route: Route) {
  const parameter = /:(\w+)$/.exec(route.path)?.[1];
  return {
    operationId: `${route.method.toLowerCase()}${route.path.replace(/[^a-z0-9]+(\w|$)/gi, (_, letter) => letter.toUpperCase())}`,
    summary: route.summary,
    ...(parameter === undefined
      ? {}
      : { parameters: [{ name: parameter, in: 'path', required: true, schema: { type: 'string' } }] }),
    ...(route.request
      ? { requestBody: { required: true, content: jsonContent(route.request, 'input') } }
      : {}),
    responses: {
      200: { description: 'Success', content: successContent(route) },
      ...(route.accepted
        ? { 202: { description: 'Accepted', content: jsonContent(route.accepted, 'output') } }
        : {}),
      ...errorResponses([...ACCESS_ERRORS[route.access ?? 'key'], ...route.errors]),
    },
  };
}

function successContent(route: Route) {
  if (!route.response) return { 'text/plain': { schema: { type: 'string' } } };
  const json = jsonContent(route.response, 'output');
  if (!route.event) return json;
  return { ...json, 'text/event-stream': { schema: z.toJSONSchema(route.event, { io: 'output' }) } };
}

function jsonContent(schema: z.ZodType, io: 'input' | 'output') {
  return { 'application/json': { schema: z.toJSONSchema(schema, { io }) } };
}

function errorResponses(codes: readonly ErrorCode[]) {
  const byStatus = new Map<number, string[]>();
  for (const code of [...codes, 'internal_error' as const]) {
    const { status } = errorTable[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } };
  return Object.fromEntries(
    [...byStatus].map(([status, names]) => [status, { description: names.join(', '), content }]),
  );
}

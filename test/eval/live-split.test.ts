import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { startTestServer, type TestServer } from '../support/server.js';
import { StubUpstream, says } from '../support/upstream.js';

interface Status {
  pending: number;
  routes: {
    samples: Record<string, number>;
    comparisons: { measure: string; verdict: string }[];
  }[];
}

const route = { name: 'chat', strategy: 'weighted', models: ['plain', 'changed'] };

async function ask(server: TestServer, users: number): Promise<void> {
  for (let user = 0; user < users; user += 1) {
    const body = { model: 'chat', user: `user-${user}`, prompt: 'The capital of France is', max_tokens: 9 };
    assert.equal((await server.post('/v1/completions', body)).status, 200);
  }
}

async function scored(server: TestServer): Promise<Status> {
  let status: Status;
  await eventually(async () => {
    status = (await (await fetch(`${server.url}/admin/evaluation`)).json()) as Status;
    return status.pending === 0;
  });
  return status!;
}

test('a variant that was taken back and repaired is judged by what it does since its route was put again', async () => {
  await using plain = await StubUpstream.start(says(' Paris'));
  await using changed = await StubUpstream.start(says(''));
  const server = await startTestServer({
    withoutEngine: true,
    settings: {
      'routing.models': [
        { id: 'plain', upstream: { url: plain.url, probeIntervalMs: 0 } },
        { id: 'changed', upstream: { url: changed.url, probeIntervalMs: 0 } },
      ],
      'routing.routes': [route],
      'evaluation.share': 1,
      'evaluation.rollback': true,
    },
  });
  try {
    const quality = ({ routes }: Status) =>
      routes[0]!.comparisons.find(({ measure }) => measure === 'quality')!.verdict;
    await ask(server, 100);
    assert.equal(quality(await scored(server)), 'worse');
    const before = changed.calls.length;
    await ask(server, 20);
    assert.equal(changed.calls.length, before, 'taken back');
    assert.equal(quality(await scored(server)), 'worse', 'and still to be seen why');

    changed.replies = [says(' Paris')];
    const put = await server.post('/admin/routes/chat', route, { method: 'PUT' });
    assert.equal(put.status, 200, await put.text());
    await ask(server, 100);
    assert.ok(changed.calls.length > before + 20);
    const status = await scored(server);
    assert.equal(quality(status), 'undecided');
    const { plain: one, changed: other } = status.routes[0]!.samples;
    assert.equal(one! + other!, 100);
  } finally {
    await server.close();
  }
});

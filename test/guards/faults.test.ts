import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startTestServer, type TestServer } from '../support/server.js';

/** Guards of one's own, and what happens when they misbehave. */

const module = fileURLToPath(new URL('../../../test/guards/modules/faulty.mjs', import.meta.url));
const use = (more: object = {}) => ({ guard: 'faulty', ...more });

let server: TestServer;
before(async () => {
  server = await startTestServer({
    reply: () => 'fine',
    settings: {
      'guards.custom': [{ name: 'faulty', module }],
      'guards.profiles': {
        closed: { input: [use({ timeoutMs: 300 })] },
        patient: { input: [use({ timeoutMs: 20_000 })] },
        open: { input: [use({ timeoutMs: 300, onFailure: 'pass' })] },
        masking: { input: [use({ mode: 'mask' })] },
        other: { input: [{ guard: 'keywords', options: { words: { x: ['forbidden'] } } }] },
      },
      'guards.workerHeapBytes': '48MiB',
      'guards.threads': 1,
    },
  });
  await ask('warm up', 'patient');
});
after(() => server.close());

async function ask(prompt: string, guards: string) {
  const response = await server.post('/v1/completions', { prompt, guards, max_tokens: 8 });
  const { error } = (await response.json()) as {
    error?: { code: string; guard: { guard: string; category: string } };
  };
  return { status: response.status, headers: response.headers, error };
}

const promptSeen = () => Buffer.from(server.engine.requests.at(-1)!.prompt.subarray(1)).toString();

test('a module passes, warns, redacts and blocks', async () => {
  assert.equal((await ask('nothing', 'patient')).status, 200);
  assert.equal((await ask('warn', 'patient')).headers.get('x-sluice-guard-warnings'), 'faulty/mine');
  await ask('please redact this', 'patient');
  assert.equal(promptSeen(), 'please [REDACTED_MINE] this');
  await ask('please redact this', 'masking');
  assert.equal(promptSeen(), 'please ****** this');
  const { status, error } = await ask('block', 'patient');
  assert.equal(status, 400);
  assert.equal(error!.guard.category, 'mine');
});

for (const [fault, reason] of [
  ['hang', 'timeout'],
  ['wait', 'timeout'],
]) {
  test(`one that does not end (${fault}) is ended at its deadline; others meanwhile are unharmed`, async () => {
    const before = server.engine.requests.length;
    const failing = ask(fault!, 'closed');
    const others = await Promise.all(Array.from({ length: 5 }, () => ask('hello', 'other')));
    assert.deepEqual(
      others.map(({ status }) => status),
      [200, 200, 200, 200, 200],
    );
    const { status, error } = await failing;
    assert.equal(status, 503);
    assert.equal(error!.code, 'guard_failed');
    assert.equal(error!.guard.category, reason);
    assert.equal(
      server.engine.requests.length,
      before + 5,
      'what could not be checked did not reach the model',
    );
    assert.equal((await ask('and again', 'patient')).status, 200, 'another worker has taken its place');
  });
}

for (const fault of [
  'throw',
  'eat',
  'devour',
  'hoard',
  'exit',
  'abort',
  'kill',
  'mute',
  'nonsense',
  'beyond',
]) {
  test(`one that fails (${fault}) fails closed; others meanwhile are unharmed, and the next check works`, async () => {
    const before = server.engine.requests.length;
    const failing = ask(fault, 'patient');
    const others = await Promise.all(
      ['other', 'patient', 'other', 'patient'].map((guards) => ask('hello', guards)),
    );
    assert.deepEqual(
      others.map(({ status }) => status),
      [200, 200, 200, 200],
    );
    const { status, error } = await failing;
    assert.equal(status, 503);
    assert.deepEqual(
      [error!.code, error!.guard.guard, error!.guard.category],
      ['guard_failed', 'faulty', 'crashed'],
    );
    assert.equal(server.engine.requests.length, before + others.length);
    assert.equal((await ask('and again', 'patient')).status, 200);
  });
}

test('one that fails after it has answered ends its process only', async () => {
  assert.equal((await ask('later', 'patient')).status, 200);
  const end = performance.now() + 200;
  while (performance.now() < end) {
    assert.equal((await ask('and again', 'patient')).status, 200);
    assert.equal((await ask('hello', 'other')).status, 200);
  }
});

test('one that may be passed over is, and that is counted', async () => {
  assert.equal((await ask('hang', 'open')).status, 200);
  assert.equal((await ask('throw', 'open')).status, 200);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  assert.match(metrics, /sluice_guard_failures_total\{guard_type="faulty",reason="timeout"\} [1-9]/);
  assert.match(metrics, /sluice_guard_failures_total\{guard_type="faulty",reason="crashed"\} [1-9]/);
});

test('a server does not start with a guard that cannot be built', async () => {
  const start = (guard: object, custom: object[] = []) =>
    startTestServer({ settings: { 'guards.custom': custom, 'guards.profiles': { x: { input: [guard] } } } });
  const gone = { name: 'gone', module: '/nowhere/guard.mjs' };
  await assert.rejects(start({ guard: 'gone' }, [gone]), /can't be used|guards: gone/);
  await assert.rejects(start({ guard: 'keywords', options: { word: 'x' } }), /guards: keywords/);
  await assert.rejects(start({ guard: 'nobody' }), /no guard "nobody"/);
  await assert.rejects(start({ guard: 'canary' }), /isn't for input/);
});

test('a profile that compares meanings needs an encoder', async () => {
  const use = { guard: 'similarity', options: { task: 'attacks' } };
  await assert.rejects(
    startTestServer({ settings: { 'guards.profiles': { near: { input: [use] } } } }),
    /guards: similarity: there is no embedding model/,
  );
});

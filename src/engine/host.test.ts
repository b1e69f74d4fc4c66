import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { prompt, request } from '../../test/sim/core.js';
import { crashTokens } from '../../test/sim/fake-thread.js';
import { answerAlone } from '../../test/sim/oracle.js';
import { engineConfig } from '../../test/support/engine-config.js';
import { SluiceError } from '../errors.js';
import type { Engine } from './engine.js';
import { createEngine, type EngineOptions } from './host.js';
import type { EngineEvent, GenerateRequest } from './types.js';

const config = engineConfig({ modelPath: '/models/Tiny-Model.gguf', pageSize: 8, maxQueue: 4 });

const engines: Engine[] = [];
after(() => Promise.all(engines.map((engine) => engine.close())));

async function open(options: EngineOptions = {}): Promise<Engine> {
  const threadEntry = new URL('../../test/sim/fake-thread.js', import.meta.url);
  const engine = await createEngine(config, () => {}, { threadEntry, restartDelayMs: 1, ...options });
  engines.push(engine);
  return engine;
}

/** All events of a request, up to the one that ends it. */
function run(engine: Engine, wanted: GenerateRequest): Promise<EngineEvent[]> {
  return new Promise((resolve) => {
    const events: EngineEvent[] = [];
    let open = wanted.choices;
    engine.generate(wanted, (event) => {
      events.push(event);
      if (event.type === 'done') open--;
      if (event.type === 'error' || open === 0) resolve(events);
    });
  });
}

function textOf(events: EngineEvent[], index = 0): string {
  return events.map((event) => (event.type === 'delta' && event.index === index ? event.text : '')).join('');
}

function code(expected: string): (error: unknown) => boolean {
  return (error) => error instanceof SluiceError && error.code === expected;
}

test('events cross the thread and join to the answer', async () => {
  const engine = await open();
  assert.equal(engine.modelId, 'Tiny-Model');
  const wanted = Array.from({ length: 8 }, (_, i) =>
    request({ prompt: prompt(20, i), maxTokens: 30, choices: 1 + (i % 2) }),
  );
  const results = await Promise.all(wanted.map((each) => run(engine, each)));
  for (const [i, events] of results.entries()) {
    for (let index = 0; index < wanted[i]!.choices; index++) {
      assert.equal(textOf(events, index), answerAlone(wanted[i]!, index, engine.maxContext).text);
    }
    assert.equal(events[0]!.type, 'prompt');
  }
});

test('wrong requests are refused before they reach the thread', async () => {
  const engine = await open();
  const refused = (overrides: Partial<GenerateRequest>, expected: string) =>
    assert.throws(() => engine.generate(request(overrides), () => {}), code(expected));
  refused({ prompt: Int32Array.of() }, 'invalid_value');
  refused({ prompt: Int32Array.of(1, 10_000) }, 'invalid_value');
  refused({ prompt: Int32Array.of(-1) }, 'invalid_value');
  refused({ prompt: prompt(128) }, 'request_too_large');
  refused({ sampling: { ...request().sampling, logitBias: [{ token: 9_999, bias: 1 }] } }, 'invalid_value');
  const first = request({ maxTokens: 100 });
  const ended = run(engine, first);
  refused({ id: first.id }, 'duplicate_id');
  await ended;
});

test('more than can wait is refused with a time to come back', async () => {
  const engine = await open();
  const wanted = Array.from({ length: 12 }, () => request({ maxTokens: 100 }));
  const running = wanted.map((each) => run(engine, each));
  assert.throws(
    () => engine.generate(request(), () => {}),
    (error) => code('queue_full')(error) && (error as SluiceError).retryAfterSeconds! >= 1,
  );
  const ends = (await Promise.all(running)).map((events) => events.at(-1)!);
  for (const end of ends) assert.equal(end.type === 'error' ? end.code : end.type, 'done');
});

test('a cancel ends a request with what it has', async () => {
  const engine = await open();
  const wanted = request({ maxTokens: 120, choices: 2 });
  const ended = run(engine, wanted);
  engine.cancel(wanted.id);
  engine.cancel('nobody');
  const ends = (await ended).filter((event) => event.type === 'done');
  assert.deepEqual(
    ends.map(({ index, finishReason }) => [index, finishReason]),
    [
      [0, 'cancelled'],
      [1, 'cancelled'],
    ],
  );
});

test('pinned prefixes can be made, listed, hit and removed', async () => {
  const engine = await open();
  const tokens = prompt(24);
  const pinned = await engine.pinPrefix('a', 'p', tokens);
  assert.deepEqual([pinned.tokens, pinned.pages], [24, 6]);
  await assert.rejects(engine.pinPrefix('a', 'p', tokens), code('duplicate_id'));
  await assert.rejects(engine.pinPrefix('a', 'q', Int32Array.of()), code('invalid_value'));
  const events = await run(engine, request({ prompt: Int32Array.from([...tokens, 5]) }));
  assert.equal(events[0]!.type === 'prompt' && events[0]!.cachedTokens, 24);
  assert.deepEqual(
    (await engine.listPrefixes('a')).map(({ id, hits }) => [id, hits]),
    [['p', 1]],
  );
  assert.deepEqual(await engine.listPrefixes('b'), []);
  assert.equal(await engine.unpinPrefix('b', 'p'), false);
  assert.equal(await engine.unpinPrefix('a', 'p'), true);
});

test('a crash fails what runs, once each, and the engine comes back', async () => {
  const faults: string[] = [];
  const engine = await open({ onFault: (message) => faults.push(message) });
  const wanted = [
    request({ prompt: prompt(crashTokens), maxTokens: 5 }),
    request({ prompt: prompt(7), maxTokens: 100 }),
  ];
  const results = wanted.map((each) => run(engine, each));
  const list = engine.listPrefixes('a');
  const ends = (await Promise.all(results)).map((events) => events.at(-1)!);
  assert.deepEqual(
    ends.map((end) => end.type === 'error' && end.code),
    ['engine_failed', 'engine_failed'],
  );
  assert.equal(engine.healthy(), false);
  assert.throws(() => engine.generate(request(), () => {}), code('model_not_ready'));
  await list.catch(() => {}); // answered before the crash or failed by it, but settled
  assert.match(faults[0]!, /engine thread ended/);
  while (!engine.healthy()) await new Promise((resolve) => setImmediate(resolve));
  const again = request();
  assert.equal(textOf(await run(engine, again)), answerAlone(again, 0, engine.maxContext).text);

  await run(engine, request({ prompt: prompt(crashTokens) }));
  assert.equal(engine.healthy(), false, 'a second crash soon after the first is final');
});

test('a silent thread is not healthy', async (t) => {
  const engine = await open();
  assert.equal(engine.healthy(), true);
  const now = performance.now.bind(performance);
  t.mock.method(performance, 'now', () => now() + 11_000);
  assert.equal(engine.healthy(), false);
  await run(engine, request());
  assert.equal(engine.healthy(), true);
});

test('a drain lets running requests end and takes no new ones', async () => {
  const engine = await open();
  const running = run(engine, request({ maxTokens: 100 }));
  const drained = engine.drain();
  assert.throws(() => engine.generate(request(), () => {}), code('shutting_down'));
  await assert.rejects(engine.pinPrefix('a', 'p', prompt(8)), code('shutting_down'));
  await drained;
  assert.equal((await running).at(-1)!.type, 'done');
  await engine.drain(); // nothing left: at once
});

test('a close ends running requests and the thread', async () => {
  const engine = await open();
  const running = run(engine, request({ maxTokens: 120 }));
  await engine.close();
  const end = (await running).at(-1)!;
  assert.equal(end.type === 'done' && end.finishReason, 'cancelled');
  await assert.rejects(engine.listPrefixes('a'), code('model_not_ready'));
});

test('a model that cannot be loaded rejects', async () => {
  const threadEntry = new URL('../../test/sim/fake-thread.js', import.meta.url);
  const opened = createEngine({ ...config, modelPath: '/models/missing.gguf' }, () => {}, { threadEntry });
  await assert.rejects(
    opened,
    (error) => code('model_not_ready')(error) && /no such model/.test((error as Error).message),
  );
});

test('loading reports its progress', async () => {
  const threadEntry = new URL('../../test/sim/fake-thread.js', import.meta.url);
  const fractions: number[] = [];
  engines.push(
    await createEngine(config, (fraction) => fractions.push(fraction), { threadEntry, modelId: 'named' }),
  );
  assert.deepEqual(fractions, [0.5]);
  assert.equal(engines.at(-1)!.modelId, 'named');
});

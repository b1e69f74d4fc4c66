/** The engine with its thread, the addon and tiny models with random weights: what the fakes can't show. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { prompt as fakePrompt, request } from '../../test/sim/core.js';
import { engineConfig } from '../../test/support/engine-config.js';
import { type FixtureName, fixture } from '../../test/support/gguf/fixtures.js';
import type { Engine } from './engine.js';
import { createEngine } from './host.js';
import type { EngineConfig, EngineEvent, GenerateRequest, TokenLogprob } from './types.js';

/** Two tokens whose log-probabilities are closer may change places with the shape of the batch: rounding. */
const nearTie = 0.02;

const faults: string[] = [];
const engines: Engine[] = [];
after(() => Promise.all(engines.map((engine) => engine.close())));

async function open(name: FixtureName, overrides: Partial<EngineConfig> = {}): Promise<Engine> {
  const config = engineConfig({
    modelPath: fixture(name),
    contextLength: 1_024,
    maxBatchTokens: 128,
    sessionMaxTokens: 2_000,
    ...overrides,
  });
  const engine = await createEngine(config, () => {}, { onFault: (message) => faults.push(message) });
  engines.push(engine);
  return engine;
}

interface Answer {
  tokens: TokenLogprob[];
  text: string;
  cachedTokens: number;
  end: EngineEvent;
}

function run(
  engine: Engine,
  wanted: GenerateRequest,
  watch: (event: EngineEvent) => void = () => {},
): Promise<Answer> {
  const answer = { tokens: [] as TokenLogprob[], text: '', cachedTokens: 0 };
  return new Promise((resolve) => {
    engine.generate(wanted, (event) => {
      watch(event);
      if (event.type === 'prompt') answer.cachedTokens = event.cachedTokens;
      else if (event.type === 'delta') {
        answer.text += event.text;
        answer.tokens.push(...(event.logprobs ?? []));
      } else resolve({ ...answer, end: event });
    });
  });
}

/** A greedy request with log-probabilities; prompts of equal `family` share all but their last tokens. */
function greedy(length: number, family: number, member: number, overrides: Partial<GenerateRequest> = {}) {
  const shared = fakePrompt(length, family).map((token) => 20 + ((token * 37 + family) % 400));
  const own = Int32Array.of(30 + member, 60 + member * 3, 90 + member * 5);
  const sampling = { ...request().sampling, topLogprobs: 2 };
  return request({ prompt: Int32Array.from([...shared, ...own]), maxTokens: 24, sampling, ...overrides });
}

/** Equal, or different from a point on where the two best tokens were too close to tell. */
function assertSame(actual: Answer, expected: Answer, name: string): void {
  for (const [i, { token }] of expected.tokens.entries()) {
    if (actual.tokens[i]?.token === token) continue;
    const [first, second] = expected.tokens[i]!.top;
    const margin = first!.logprob - second!.logprob;
    assert.ok(margin < nearTie, `${name}: token ${i} differs although the best leads by ${margin}`);
    return;
  }
  assert.equal(actual.text, expected.text);
}

for (const name of ['llama', 'gemma3-swa'] as const) {
  test(`${name}: eight at once, with shared pages, answer as each alone`, async () => {
    const engine = await open(name);
    assert.equal(engine.context.placement, 'pages');
    const wanted = (overrides: Partial<GenerateRequest>) =>
      Array.from({ length: 8 }, (_, i) => greedy(150, i >> 2, i, overrides));
    const alone: Answer[] = [];
    for (const each of wanted({ cachePrompt: false })) alone.push(await run(engine, each));
    const together = await Promise.all(wanted({}).map((each) => run(engine, each)));
    for (const [i, answer] of together.entries()) {
      assertSame(answer, alone[i]!, `prompt ${i}`);
      assert.equal(answer.cachedTokens, i % 4 === 0 ? 0 : 144, 'the first of a family computes for all');
    }
  });
}

test('short of pages, sequences are preempted and answer as if nothing had happened', async () => {
  const roomy = await open('llama');
  const bytesPerToken = roomy.context.bytesPerPage / 16;
  const tight = await open('llama', { kvBytes: 260 * bytesPerToken, watermark: 0 });
  const wanted = () => Array.from({ length: 6 }, (_, i) => greedy(30, 10 + i, i, { maxTokens: 60 }));
  const alone: Answer[] = [];
  for (const each of wanted()) alone.push(await run(roomy, each));
  const together = await Promise.all(wanted().map((each) => run(tight, each)));
  for (const [i, answer] of together.entries()) assertSame(answer, alone[i]!, `prompt ${i}`);
  await tight.listPrefixes('a'); // a round trip: the report on the last step has come
  assert.ok(tight.stats().preemptions > 0, 'the pool was too small for all');
});

test('300 sequences run at once', async () => {
  const engine = await open('llama', { maxSequences: 300, maxQueue: 300, maxBatchTokens: 512 });
  const prompts = Array.from({ length: 300 }, (_, i) => greedy(12, i >> 6, i & 63, { maxTokens: 40 }));
  const alone: Answer[] = [];
  for (const each of prompts.slice(0, 3)) alone.push(await run(engine, { ...each, id: `alone ${each.id}` }));
  let running = 0;
  let mostRunning = 0;
  const together = await Promise.all(
    prompts.map((each) =>
      run(engine, each, (event) => {
        if (event.type === 'prompt') mostRunning = Math.max(mostRunning, ++running);
        else if (event.type !== 'delta') running--;
      }),
    ),
  );
  assert.equal(mostRunning, 300);
  for (const answer of together) assert.equal(answer.tokens.length, 40);
  for (const [i, answer] of alone.entries()) assertSame(together[i]!, answer, `prompt ${i}`);
});

test('a model with a state instead of a cache is served without sharing', async () => {
  const engine = await open('mamba', { contextLength: 256 });
  assert.equal(engine.context.placement, 'sequences');
  const alone = await run(engine, greedy(40, 0, 0));
  const together = await Promise.all([0, 1, 2].map((i) => run(engine, greedy(40, 0, i))));
  assertSame(together[0]!, alone, 'prompt 0');
  assert.deepEqual(
    together.map(({ cachedTokens, end }) => [cachedTokens, end.type]),
    [
      [0, 'done'],
      [0, 'done'],
      [0, 'done'],
    ],
  );
});

test('a grammar decides the text, and a wrong one ends its request alone', async () => {
  const engine = await open('llama');
  const sampling = { ...request().sampling, ignoreEos: false };
  const [right, wrong] = await Promise.all([
    run(engine, greedy(20, 1, 1, { sampling: { ...sampling, grammar: 'root ::= "a" "b"' } })),
    run(engine, greedy(20, 1, 2, { sampling: { ...sampling, grammar: 'root ::= (' } })),
  ]);
  assert.equal(right.text, 'ab');
  assert.ok(right.end.type === 'done' && right.end.finishReason === 'stop');
  assert.ok(wrong.end.type === 'error' && wrong.end.code === 'invalid_grammar');
});

test('prompt log-probabilities agree with those of generated tokens', async () => {
  const engine = await open('llama');
  const generated = await run(engine, greedy(40, 2, 0, { maxTokens: 8 }));
  const { prompt } = greedy(40, 2, 0);
  const whole = Int32Array.from([...prompt, ...generated.tokens.map(({ token }) => token)]);
  let logprobs: (TokenLogprob | null)[] = [];
  await new Promise<void>((resolve) => {
    engine.generate(request({ prompt: whole, maxTokens: 0, promptLogprobs: 1 }), (event) => {
      if (event.type === 'prompt') logprobs = event.logprobs!;
      if (event.type === 'done') resolve();
    });
  });
  assert.equal(logprobs.length, whole.length);
  for (const [i, { token, logprob }] of generated.tokens.entries()) {
    const again = logprobs[prompt.length + i]!;
    assert.equal(again.token, token);
    assert.ok(Math.abs(again.logprob - logprob) < 0.02, `${again.logprob} and ${logprob}`);
  }
});

test('nothing went wrong on the way', () => {
  assert.deepEqual(faults, []);
});

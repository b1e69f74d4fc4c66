/** With our own kernels guesses change nothing but the time: the same tokens, the same log-probabilities, bit by bit. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Engine } from '../../src/engine/engine.js';
import { createEngine } from '../../src/engine/host.js';
import type { EngineConfig, GenerateRequest, SamplingParams, TokenLogprob } from '../../src/engine/types.js';
import type { NativeModel } from '../../src/native/types.js';
import { request } from '../sim/core.js';
import { engineConfig } from '../support/engine-config.js';
import { realModel } from '../support/gguf/real-model.js';
import { loadModel } from '../support/native.js';

const faults: string[] = [];
let model: NativeModel;
let guessing: Engine;
let plain: Engine;

async function open(speculation: EngineConfig['speculation']): Promise<Engine> {
  const config = engineConfig({
    modelPath: await realModel(),
    contextLength: 1_024,
    weights: 'packed',
    pageSize: 32,
    speculation,
  });
  return createEngine(config, () => {}, { onFault: (message) => faults.push(message) });
}

before(async () => {
  model = await loadModel(await realModel());
  guessing = await open('auto');
  plain = await open('off');
});
after(async () => {
  await guessing.close();
  await plain.close();
  model.close();
});

/** Texts whose continuations repeat what they have: lists, code, and a passage that is copied. */
const texts = [
  'one two three four five six seven eight nine ten\none two three four five six seven eight nine ten\none two',
  '<tr><td>1</td><td>red</td></tr>\n<tr><td>2</td><td>red</td></tr>\n<tr><td>3</td><td>red</td></tr>\n<tr>',
  'def add(a, b):\n    return a + b\n\ndef sub(a, b):\n    return a - b\n\ndef mul(a, b):\n    return',
  'The cat sat on the mat. The dog sat on the log. The cat sat on the mat. The dog sat on the',
];

/** JSON that repeats itself by its grammar. */
const grammar = 'root ::= "[" item ("," item){9} "]"\nitem ::= "{\\"name\\": \\"" [a-z]{1,4} "\\"}"';

const cases: Record<string, Partial<GenerateRequest> & { sampling?: SamplingParams }> = {
  greedy: {},
  sampled: { sampling: { ...request().sampling, temperature: 0.7, topP: 0.9, seed: 11 } },
  'with penalties': {
    sampling: { ...request().sampling, temperature: 0.4, repeatPenalty: 1.05, presencePenalty: 0.2, seed: 5 },
  },
  'under a grammar': { sampling: { ...request().sampling, grammar, ignoreEos: false } },
  'up to a stop string': { stop: ['six', '4', 'return', 'log'] },
};

interface Answer {
  tokens: TokenLogprob[];
  text: string;
  end: unknown;
}

function run(engine: Engine, wanted: GenerateRequest): Promise<Answer> {
  const answer: Answer = { tokens: [], text: '', end: null };
  return new Promise((resolve) => {
    engine.generate(wanted, (event) => {
      if (event.type === 'delta') {
        answer.text += event.text;
        answer.tokens.push(...(event.logprobs ?? []));
      } else if (event.type !== 'prompt') resolve({ ...answer, end: { ...event, id: '' } });
    });
  });
}

function requests(overrides: (typeof cases)[string]): GenerateRequest[] {
  return texts.map((text) => {
    const sampling = { ...(overrides.sampling ?? request().sampling), topLogprobs: 3 };
    return request({ maxTokens: 32, ...overrides, prompt: model.tokenize(text, true, false), sampling });
  });
}

for (const [name, overrides] of Object.entries(cases)) {
  test(`${name}: guesses change no token and no log-probability`, async () => {
    const expected = await Promise.all(requests(overrides).map((each) => run(plain, each)));
    const together = await Promise.all(requests(overrides).map((each) => run(guessing, each)));
    assert.deepEqual(together, expected);
    for (const [i, each] of requests(overrides).entries())
      assert.deepEqual(await run(guessing, each), expected[i], `alone: ${texts[i]}`);
  });
}

test('guesses were made, and some were right', async () => {
  await guessing.listPrefixes(''); // a round trip: the report on the last step has come
  const { draftedTokens, acceptedTokens } = guessing.stats();
  assert.ok(acceptedTokens > 50, `${acceptedTokens} of ${draftedTokens}`);
  assert.equal(plain.stats().draftedTokens, 0);
  assert.deepEqual(faults, []);
});

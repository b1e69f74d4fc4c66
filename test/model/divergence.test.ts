/**
 * How far attention moves the model's predictions. The reference keeps keys and values in F32 and computes attention
 * plainly in F32; the paged kernel and llama.cpp's own attention, both over an F16 cache, are measured against it. The
 * weights are llama.cpp's in all three.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContextOptions, NativeContext, NativeModel } from '../../src/native/types.js';
import { type FixtureName, fixture } from '../support/gguf/fixtures.js';
import { realModel } from '../support/gguf/real-model.js';
import { createContext, forward, loadModel } from '../support/native.js';
import { topTwo } from './teacher-forced.js';

const long = process.env.SLUICE_LONG === '1';
const promptCount = long ? 200 : 4;
const slack = long ? 1 : 1.1; // a few positions say only so much
/** Logits: where the two best are closer, greedy text may differ. The real model has larger ones. */
const nearTie = { fixture: 0.02, real: 0.5 };
const negligible = 1e-6; // nats: the rounding of a fixture's few dimensions
const promptTokens = 96;
const sampledEvery = 8; // positions compared: each row of a large vocabulary is a megabyte

const reference: Partial<ContextOptions> = {
  attention: 'stock',
  flashAttention: 'off',
  kvTypeK: 'f32',
  kvTypeV: 'f32',
};

const passage = `The lighthouse keeper wrote down the weather every evening: wind from the west, seven ships, rain before
dawn. Of 1,412 pages three are missing. "Nobody asked for them", she said, and closed the book. In 1931 the lamp was
replaced; the old one weighs 240 kg, and def area(width, height): return width * height computes nothing about it.`;

/** Text that begins at another word for each prompt; for models without a real vocabulary, ids as good as random. */
function prompts(model: NativeModel, isReal: boolean): Int32Array[] {
  const words = passage.split(/\s+/);
  return Array.from({ length: promptCount }, (_, i) => {
    if (!isReal)
      return Int32Array.from({ length: promptTokens }, (_, j) => 3 + ((j * 37 + i * 101 + j * j) % 500));
    const from = (i * 7) % words.length;
    const text = `${i} ${[...words.slice(from), ...words, ...words.slice(0, from)].join(' ')}`;
    return model.tokenize(text, true, false).slice(0, promptTokens);
  });
}

/** Loops: a vocabulary has 262,144 tokens. */
function logNormaliser(logits: Float32Array): number {
  let most = Number.NEGATIVE_INFINITY;
  for (const value of logits) most = Math.max(most, value);
  let sum = 0;
  for (const value of logits) sum += Math.exp(value - most);
  return most + Math.log(sum);
}

/** KL(p ‖ q) in nats, of the distributions that two rows of logits stand for. */
function divergence(p: Float32Array, q: Float32Array): number {
  const [normaliserP, normaliserQ] = [logNormaliser(p), logNormaliser(q)];
  let sum = 0;
  for (let token = 0; token < p.length; token++) {
    const logP = p[token]! - normaliserP;
    sum += Math.exp(logP) * (logP - (q[token]! - normaliserQ));
  }
  return sum;
}

function predictions(context: NativeContext, prompt: Int32Array): Float32Array[] {
  const rows = Array.from(prompt, (token, position) => ({
    token,
    position,
    sequence: 0,
    output: position % sampledEvery === sampledEvery - 1,
  }));
  forward(context, rows);
  const count = rows.filter(({ output }) => output).length;
  return Array.from({ length: count }, (_, output) => context.logits(output));
}

interface Divergences {
  paged: number;
  stock: number;
  positions: number;
  otherChoices: number; // positions where the paged kernel's best token is not the reference's
  largestMargin: number; // of the reference's two best logits there
}

/** Means over all positions compared. */
function compare(model: NativeModel, isReal: boolean): Divergences {
  const exact = createContext(model, reference);
  const paged = createContext(model);
  const stock = createContext(model, { attention: 'stock' });
  assert.deepEqual(
    [exact, paged, stock].map(({ info }) => info.attention),
    ['stock', 'paged', 'stock'],
  );
  const sums = { paged: 0, stock: 0, positions: 0, otherChoices: 0, largestMargin: 0 };
  for (const prompt of prompts(model, isReal)) {
    const expected = predictions(exact, prompt);
    const ours = predictions(paged, prompt);
    const theirs = predictions(stock, prompt);
    expected.forEach((row, i) => {
      sums.paged += divergence(row, ours[i]!);
      sums.stock += divergence(row, theirs[i]!);
      sums.positions++;
      const best = topTwo(row);
      if (best.token === topTwo(ours[i]!).token) return;
      sums.otherChoices++;
      sums.largestMargin = Math.max(sums.largestMargin, best.margin);
    });
  }
  for (const context of [exact, paged, stock]) context.close();
  return { ...sums, paged: sums.paged / sums.positions, stock: sums.stock / sums.positions };
}

async function check(t: { diagnostic(message: string): void }, path: string, isReal: boolean): Promise<void> {
  const model = await loadModel(path);
  const { paged, stock, positions, otherChoices, largestMargin } = compare(model, isReal);
  model.close();
  t.diagnostic(
    `KL from F32 over ${positions} positions: paged ${paged.toExponential(2)}, stock ${stock.toExponential(2)}; ` +
      `another best token at ${otherChoices}, where the margin is at most ${largestMargin.toFixed(4)}`,
  );
  assert.ok(paged > 0 && stock > 0, 'an F16 cache leaves a trace');
  assert.ok(paged <= Math.max(stock * slack, negligible), `paged ${paged}, stock ${stock}`);
  assert.ok(
    largestMargin <= (isReal ? nearTie.real : nearTie.fixture),
    `another token was best where it lost by ${largestMargin}`,
  );
}

for (const name of ['llama', 'qwen3', 'gemma3-swa'] satisfies FixtureName[])
  test(`${name}: the paged kernel is as near to F32 as llama.cpp's attention`, (t) =>
    check(t, fixture(name), false));

test('so it is on the real model', async (t) => check(t, await realModel(), true));

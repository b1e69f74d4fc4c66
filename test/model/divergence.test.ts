/**
 * How far attention moves the model's predictions. The reference keeps keys and values in F32 and computes attention
 * plainly in F32; the paged kernel and llama.cpp's own attention, both over an F16 cache, are measured against it. The
 * weights are llama.cpp's in all three.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ContextOptions, NativeContext, NativeModel } from '../../src/native/types.js';
import { projectRoot } from '../../src/support/root.js';
import { type FixtureName, fixture, transformers } from '../support/gguf/fixtures.js';
import { realModel } from '../support/gguf/real-model.js';
import { createContext, forward, loadModel } from '../support/native.js';
import { topTwo } from './teacher-forced.js';

const long = process.env.SLUICE_LONG === '1';
const promptCount = long ? 200 : 4; // of the real model
const fixturePromptCount = long ? 200 : 24; // 4 have 48 positions, whose mean wanders by a tenth
const slack = long ? 1 : 1.1; // a few positions say only so much
const negligible = 1e-6; // nats: the rounding of a fixture's few dimensions
const errorsOfChance = 3; // standard errors by which the mean over positions may be above stock's
const promptTokens = 96;
const sampledEvery = 8; // positions compared: each row of a large vocabulary is a megabyte

/** Tokens before all prompts. Llama 4's prompts then cross the end of a chunk of 8,192 positions. */
const leads: Partial<Record<FixtureName, number>> = { llama4: 8_192 - promptTokens / 2 };

const reference: Partial<ContextOptions> = {
  attention: 'stock',
  flashAttention: 'off',
  kvTypeK: 'f32',
  kvTypeV: 'f32',
};

/** What docs/architecture.md promises: how far a logit is off at most, and what lead of a token is safe. */
interface Bounds {
  error: number;
  lead: number;
}

function promised(): { real: Bounds; fixtures: Bounds } {
  const text = readFileSync(join(projectRoot(), 'docs', 'architecture.md'), 'utf8').replace(/\s+/g, ' ');
  const row = (name: string): Bounds => {
    const cells = text.match(new RegExp(`\\| ${name} \\| ([\\d.]+) \\| ([\\d.]+) \\|`));
    assert.ok(cells, `docs/architecture.md has no row "${name}"`);
    return { error: Number(cells[1]), lead: Number(cells[2]) };
  };
  return { real: row('the default model'), fixtures: row('tiny models of F16 weights') };
}

const passage = `The lighthouse keeper wrote down the weather every evening: wind from the west, seven ships, rain before
dawn. Of 1,412 pages three are missing. "Nobody asked for them", she said, and closed the book. In 1931 the lamp was
replaced; the old one weighs 240 kg, and def area(width, height): return width * height computes nothing about it.`;

/** Text that begins at another word for each prompt. */
function realPrompts(model: NativeModel): Int32Array[] {
  const words = passage.split(/\s+/);
  return Array.from({ length: promptCount }, (_, i) => {
    const from = (i * 7) % words.length;
    const text = `${i} ${[...words.slice(from), ...words, ...words.slice(0, from)].join(' ')}`;
    return model.tokenize(text, true, false).slice(0, promptTokens);
  });
}

/** For models without a real vocabulary: ids as good as random. */
function randomTokens(length: number, salt: number): Int32Array {
  return Int32Array.from({ length }, (_, j) => 3 + ((j * 37 + salt * 101 + j * j) % 500));
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

/** Logits of every eighth of the tokens, the first of which is at position `from`. */
function predictions(context: NativeContext, tokens: Int32Array, from: number): Float32Array[] {
  const rows = Array.from(tokens, (token, i) => ({
    token,
    position: from + i,
    sequence: 0,
    output: i % sampledEvery === sampledEvery - 1,
  }));
  forward(context, rows);
  const count = rows.filter(({ output }) => output).length;
  return Array.from({ length: count }, (_, output) => context.logits(output));
}

function contextAfter(lead: Int32Array, model: NativeModel, options: Partial<ContextOptions>): NativeContext {
  const pages = Math.ceil((lead.length + promptTokens) / 16);
  const context = createContext(model, {
    ...options,
    ...(lead.length > 0 && { pages, maxPagesPerSequence: pages, maxSequences: 1 }),
  });
  const chunk = 256;
  for (let from = 0; from < lead.length; from += chunk)
    predictions(context, lead.subarray(from, from + chunk), from);
  return context;
}

/** Of one path from the reference, over all positions compared. */
class Distance {
  readonly divergences: number[] = []; // KL
  error = 0; // the most that a logit is off
  otherChoices = 0; // positions where the best token isn't the reference's
  lead = 0; // the most that the reference's best token had before its second there

  add(expected: Float32Array, seen: Float32Array): void {
    this.divergences.push(divergence(expected, seen));
    for (let token = 0; token < expected.length; token++)
      this.error = Math.max(this.error, Math.abs(expected[token]! - seen[token]!));
    const best = topTwo(expected);
    if (best.token === topTwo(seen).token) return;
    this.otherChoices++;
    this.lead = Math.max(this.lead, best.margin);
  }

  get divergence(): number {
    return mean(this.divergences);
  }

  toString(): string {
    return (
      `KL ${this.divergence.toExponential(2)}, a logit off by at most ${this.error.toPrecision(3)}, ` +
      `another best token at ${this.otherChoices} of ${this.divergences.length}, by a lead of at most ${this.lead.toPrecision(3)}`
    );
  }
}

function compare(model: NativeModel, prompts: Int32Array[], lead: Int32Array) {
  const exact = contextAfter(lead, model, reference);
  const ours = contextAfter(lead, model, {});
  const theirs = contextAfter(lead, model, { attention: 'stock' });
  assert.deepEqual(
    [exact, ours, theirs].map(({ info }) => info.attention),
    ['stock', 'paged', 'stock'],
  );
  const [paged, stock] = [new Distance(), new Distance()];
  for (const prompt of prompts) {
    const expected = predictions(exact, prompt, lead.length);
    for (const [distance, context] of [
      [paged, ours],
      [stock, theirs],
    ] as const) {
      for (const [i, row] of predictions(context, prompt, lead.length).entries())
        distance.add(expected[i]!, row);
    }
  }
  for (const context of [exact, ours, theirs]) context.close();
  return { paged, stock };
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** How many standard errors the mean of the differences, position by position, is above 0. */
function excess(ours: number[], theirs: number[]): number {
  const differences = ours.map((value, i) => value - theirs[i]!);
  const average = mean(differences);
  const variance = mean(differences.map((value) => (value - average) ** 2));
  return average / Math.sqrt(variance / differences.length);
}

function check(t: TestContext, { paged, stock }: ReturnType<typeof compare>, bounds: Bounds): void {
  t.diagnostic(`paged: ${paged}`);
  t.diagnostic(`stock: ${stock}`);
  assert.ok(paged.divergence > 0 && stock.divergence > 0, 'an F16 cache leaves a trace');
  assert.ok(paged.divergence <= Math.max(stock.divergence * slack, negligible), 'KL');
  const standardErrors = excess(paged.divergences, stock.divergences);
  t.diagnostic(`paged above stock by ${standardErrors.toFixed(2)} standard errors`);
  assert.ok(standardErrors < errorsOfChance, 'KL beyond chance');
  assert.ok(paged.error < bounds.error, `a logit is off by ${paged.error}`);
  assert.ok(paged.lead < bounds.lead, `another token was best where it lost by ${paged.lead}`);
}

for (const name of transformers)
  test(`${name}: the paged kernel is as near to F32 as llama.cpp's attention`, async (t) => {
    const model = await loadModel(fixture(name));
    const prompts = Array.from({ length: fixturePromptCount }, (_, i) => randomTokens(promptTokens, i));
    const seen = compare(model, prompts, randomTokens(leads[name] ?? 0, 1_000));
    model.close();
    check(t, seen, promised().fixtures);
  });

test('so it is on the real model', async (t) => {
  const model = await loadModel(await realModel());
  const seen = compare(model, realPrompts(model), new Int32Array(0));
  model.close();
  check(t, seen, promised().real);
});

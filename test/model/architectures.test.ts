/**
 * Windows, chunks, caps of scores, sinks and ALiBi in whole models: what runs beside a sequence, how its prompt is cut and
 * whose pages it reads changes no bit of its logits. The long sequences reach beyond a window, and beyond a part of the kernel's softmax.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NativeModel } from '../../src/native/types.js';
import { type FixtureName, quantisedFixture, transformers } from '../support/gguf/fixtures.js';
import { createContext, distance, forward, loadModel } from '../support/native.js';

const pageSize = 16;
const compared = 8; // the last positions of each sequence
const ownTokens = 40; // of the second sequence, which begins as the first does
const rounding = 0.02; // where ggml multiplies; relative to the spread of a row

/** Tokens of the longest sequence: in Llama 4's case some lie in the second chunk of 8,192 positions. */
const lengths: Partial<Record<FixtureName, number>> = { llama4: 8_192 + 60 };
const usualLength = 600;

interface Chunk {
  sequence: number;
  from: number;
  to: number;
}

function texts(length: number): Int32Array[] {
  const text = (count: number, salt: number) =>
    Int32Array.from({ length: count }, (_, i) => 3 + ((i * 37 + i * i + salt * 101) % 500));
  const first = text(length, 0);
  const second = Int32Array.from([...first.subarray(0, sharedTokens(length)), ...text(ownTokens, 1)]);
  return [first, second, text(50, 2)];
}

/** Whole pages, up to a little before the first sequence's end. */
function sharedTokens(length: number): number {
  return Math.floor((length - ownTokens) / pageSize) * pageSize;
}

function chunks(sequence: number, from: number, to: number, size: number): Chunk[] {
  const count = Math.ceil((to - from) / size);
  return Array.from({ length: count }, (_, i) => ({
    sequence,
    from: from + i * size,
    to: Math.min(to, from + (i + 1) * size),
  }));
}

const alone = (all: Int32Array[]): Chunk[][] =>
  all.flatMap((text, sequence) => chunks(sequence, 0, text.length, 256).map((chunk) => [chunk]));

/** All at once, by chunks of other sizes, until the last ones decode token by token. */
function together(all: Int32Array[]): Chunk[][] {
  const queues = all.map((text, sequence) => {
    const prompt = text.length - compared;
    return [
      ...chunks(sequence, 0, prompt, [101, 123, 7][sequence]!),
      ...chunks(sequence, prompt, text.length, 1),
    ];
  });
  const steps = Math.max(...queues.map((queue) => queue.length));
  return Array.from({ length: steps }, (_, step) => queues.flatMap((queue) => queue[step] ?? []));
}

/** The first one's prompt, and then its last tokens beside the others, the second after the pages that both have. */
const sharing = ([first, second, third]: Int32Array[]): Chunk[][] => [
  ...alone([first!.subarray(0, first!.length - compared)]),
  [
    { sequence: 0, from: first!.length - compared, to: first!.length },
    { sequence: 1, from: sharedTokens(first!.length), to: second!.length },
    { sequence: 2, from: 0, to: third!.length },
  ],
];

/** Logits of each sequence's last positions. The second's first `shared` pages are the first's. */
function run(model: NativeModel, all: Int32Array[], steps: Chunk[][], shared = 0): Float32Array[][] {
  const columns = Math.ceil(Math.max(...all.map(({ length }) => length)) / pageSize) + 1;
  const pages = all.length * columns;
  // Scattered, and no page twice: the factor is a prime.
  const blockTables = Int32Array.from({ length: pages }, (_, index) => (index * 7_919) % pages);
  blockTables.copyWithin(columns, 0, shared);
  const context = createContext(model, {
    pageSize,
    pages,
    maxSequences: all.length,
    maxPagesPerSequence: columns,
    blockTables,
  });
  assert.equal(context.info.attention, 'paged', context.info.attentionReason);
  const logits: Float32Array[][] = all.map(() => []);
  for (const step of steps) {
    const rows = step.flatMap(({ sequence, from, to }) =>
      Array.from(all[sequence]!.subarray(from, to), (token, i) => ({
        token,
        position: from + i,
        sequence,
        output: from + i >= all[sequence]!.length - compared,
      })),
    );
    forward(context, rows);
    const outputs = rows.filter(({ output }) => output);
    for (const [output, { sequence }] of outputs.entries()) logits[sequence]!.push(context.logits(output));
  }
  context.close();
  return logits;
}

for (const name of transformers) {
  test(`${name}: a sequence's logits are the same alone, beside others, and after another's pages`, async () => {
    const model = await loadModel(quantisedFixture(name), { packWeights: true });
    const all = texts(lengths[name] ?? usualLength);
    const expected = run(model, all, alone(all));
    const isOurs = model.info.packedWeights.kernel !== '';
    const check = (seen: Float32Array[][], how: string) =>
      expected.flat().forEach((row, i) => {
        const other = seen.flat()[i]!;
        if (isOurs) assert.ok(Buffer.from(row.buffer).equals(Buffer.from(other.buffer)), `${how}, row ${i}`);
        else assert.ok(distance(row, other) < rounding, `${how}, row ${i}`);
      });
    check(run(model, all, together(all)), 'beside others');
    check(run(model, all, sharing(all), sharedTokens(all[0]!.length) / pageSize), 'after shared pages');
    model.close();
  });
}

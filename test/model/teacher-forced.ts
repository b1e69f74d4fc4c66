/**
 * Runs given token sequences through a context under a chosen batch shape and reports, for every position of the
 * continuation, the two best tokens and their logits. Teacher-forced: the continuation is fixed beforehand, so that one
 * different choice doesn't change everything after it.
 */
import type { Batch, ContextOptions, NativeContext, NativeModel } from '../../src/native/types.js';
import { createContext } from '../support/native.js';

export interface Case {
  prompt: Int32Array;
  continuation: Int32Array;
}

export interface TopTwo {
  token: number;
  margin: number; // logit of the best token minus that of the second, ≥ 0
}

const pageSize = 16;
const maxTokens = 512; // per sequence
const groupSize = 32;
const maxBatchTokens = 512;

export function createTestContext(
  model: NativeModel,
  attention: ContextOptions['attention'],
): { context: NativeContext; tables: Int32Array } {
  const maxPagesPerSequence = maxTokens / pageSize;
  const tables = new Int32Array(groupSize * maxPagesPerSequence);
  const context = createContext(model, {
    pageSize,
    pages: groupSize * maxPagesPerSequence,
    maxSequences: groupSize,
    maxPagesPerSequence,
    blockTables: tables,
    maxBatchTokens,
    maxOutputs: groupSize,
    threads: 1, // beside other tests, more would wait for each other
    attention,
  });
  return { context, tables };
}

/** Row r owns pages r·n … r·n + n − 1; with `sharedPages`, the first of them are row 0's. */
export function layOut(tables: Int32Array, sharedPages: (row: number) => number): void {
  const columns = maxTokens / pageSize;
  for (let row = 0; row < groupSize; row++) {
    const shared = sharedPages(row);
    for (let page = 0; page < columns; page++) {
      tables[row * columns + page] = page < shared ? page : row * columns + page;
    }
  }
}

class BatchBuilder {
  readonly batch: Batch = {
    count: 0,
    tokens: new Int32Array(maxBatchTokens),
    positions: new Int32Array(maxBatchTokens),
    sequences: new Int32Array(maxBatchTokens),
    outputs: new Uint8Array(maxBatchTokens),
  };
  add(token: number, position: number, sequence: number, output: boolean): void {
    const at = this.batch.count++;
    this.batch.tokens[at] = token;
    this.batch.positions[at] = position;
    this.batch.sequences[at] = sequence;
    this.batch.outputs[at] = output ? 1 : 0;
  }
  get full(): boolean {
    return this.batch.count === this.batch.tokens.length;
  }
  clear(): void {
    this.batch.count = 0;
  }
}

export function topTwo(logits: Float32Array): TopTwo {
  let best = -Infinity;
  let second = -Infinity;
  let token = -1;
  for (let i = 0; i < logits.length; i++) {
    const value = logits[i]!;
    if (value > best) {
      second = best;
      best = value;
      token = i;
    } else if (value > second) second = value;
  }
  return { token, margin: best - second };
}

/** Computes prompt positions [from, length − 1) of each row without outputs, in chunks of the batch size. */
function prefill(context: NativeContext, cases: Case[], from: (row: number) => number): void {
  const builder = new BatchBuilder();
  const flush = () => {
    if (builder.batch.count > 0) context.forward(builder.batch);
    builder.clear();
  };
  cases.forEach((item, row) => {
    for (let position = from(row); position < item.prompt.length - 1; position++) {
      if (builder.full) flush();
      builder.add(item.prompt[position]!, position, row, false);
    }
  });
  flush();
}

/** One token of every row a step, all rows in one batch; the token after the last prompt token is predicted first. */
function decode(context: NativeContext, cases: Case[]): TopTwo[][] {
  const results: TopTwo[][] = cases.map(() => []);
  const steps = Math.max(...cases.map((item) => item.continuation.length));
  const builder = new BatchBuilder();
  for (let step = 0; step < steps; step++) {
    builder.clear();
    const rows: number[] = [];
    cases.forEach((item, row) => {
      if (step >= item.continuation.length) return;
      const last = item.prompt.length - 1;
      builder.add(step === 0 ? item.prompt[last]! : item.continuation[step - 1]!, last + step, row, true);
      rows.push(row);
    });
    context.forward(builder.batch);
    rows.forEach((row, output) => {
      results[row]!.push(topTwo(context.logits(output)));
    });
  }
  return results;
}

/** Every case by itself. */
export function runAlone(context: NativeContext, tables: Int32Array, cases: Case[]): TopTwo[][] {
  layOut(tables, () => 0);
  return cases.map((item) => {
    prefill(context, [item], () => 0);
    return decode(context, [item])[0]!;
  });
}

/** Cases in groups of 32; `share`: prompt pages that equal the group's first prompt's are read from its pages. */
export function runBatched(
  context: NativeContext,
  tables: Int32Array,
  cases: Case[],
  share: boolean,
): TopTwo[][] {
  const results: TopTwo[][] = [];
  for (let start = 0; start < cases.length; start += groupSize) {
    const group = cases.slice(start, start + groupSize);
    const first = group[0]!;
    const sharedPages = group.map((item, row) =>
      share && row > 0 ? commonPages(first.prompt, item.prompt) : 0,
    );
    layOut(tables, (row) => sharedPages[row] ?? 0);
    // The first row's pages must exist before the others read them.
    prefill(context, [first], () => 0);
    prefill(context, group, (row) => (row === 0 ? first.prompt.length : sharedPages[row]! * pageSize));
    results.push(...decode(context, group));
  }
  return results;
}

/** Whole pages that two prompts have in common, leaving at least one token to compute. */
function commonPages(a: Int32Array, b: Int32Array): number {
  const limit = Math.min(a.length, b.length) - 1;
  let common = 0;
  while (common < limit && a[common] === b[common]) common++;
  return Math.floor(common / pageSize);
}

/** Greedy continuation of each prompt, alone: what the other runs are forced along. */
export function greedyContinuations(
  context: NativeContext,
  tables: Int32Array,
  prompts: Int32Array[],
  length: number,
): Case[] {
  layOut(tables, () => 0);
  return prompts.map((prompt) => {
    const item: Case = { prompt, continuation: new Int32Array(0) };
    prefill(context, [item], () => 0);
    const tokens: number[] = [];
    const builder = new BatchBuilder();
    let token = prompt[prompt.length - 1]!;
    for (let step = 0; step < length; step++) {
      builder.clear();
      builder.add(token, prompt.length - 1 + step, 0, true);
      context.forward(builder.batch);
      token = topTwo(context.logits(0)).token;
      tokens.push(token);
    }
    return { prompt, continuation: Int32Array.from(tokens) };
  });
}

export interface Disagreement {
  positions: number;
  different: number; // the best token is another
  changed: number; // the margin to the second best isn't the same to the last bit
  largestMargin: number; // of the reference, where the two disagree
}

export function compare(reference: TopTwo[][], other: TopTwo[][]): Disagreement {
  const result: Disagreement = { positions: 0, different: 0, changed: 0, largestMargin: 0 };
  reference.forEach((row, i) => {
    row.forEach((top, j) => {
      result.positions++;
      const seen = other[i]![j]!;
      if (top.margin !== seen.margin) result.changed++;
      if (top.token === seen.token) return;
      result.different++;
      result.largestMargin = Math.max(result.largestMargin, top.margin);
    });
  });
  return result;
}

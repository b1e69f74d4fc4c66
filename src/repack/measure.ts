import type { MatmulCase } from '../native/types.js';
import { blockRules } from './blocks.js';
import type { TensorEntry } from './gguf-header.js';

export type TimeMatmuls = (matmuls: MatmulCase) => ArrayLike<number>;

/** How much faster Q8_0 is than another type on this CPU: 1.2 is a fifth more work in the same time. */
export interface Verdict {
  type: number;
  oneToken: number; // decoding one sequence
  manyTokens: number; // 32 rows: many sequences, or a chunk of a prompt
  /** null: the machine was too busy to tell. */
  pays: boolean | null;
}

/** What is timed: the shape that holds most of a type's weights. */
export interface Workload {
  type: number;
  inputs: number;
  outputs: number;
  copies: number;
}

const manyTokens = 32;
const rounds = 5;
/** Weights of a pass: 64 M are as many bytes as large caches hold, and take some 10 ms to go through. */
const weightsMax = 1 << 26;
/** Of one matrix: filling it takes 20 ms at this size. */
const matrixMax = 1 << 22;

const leastGain = 1.1; // geometric mean of both: the file on the disk has to be worth something
const worstLoss = 0.95; // of either: less is not told from noise
const steadiness = 1.15; // two measurements that differ by more say nothing

export function workloadOf(type: number, tensors: readonly TensorEntry[]): Workload {
  const weights = new Map<string, number>();
  for (const { shape } of tensors) {
    const key = shape.join();
    weights.set(key, (weights.get(key) ?? 0) + shape[0]! * shape[1]!);
  }
  const [shape] = [...weights].reduce((most, entry) => (entry[1] > most[1] ? entry : most));
  const [inputs, rows] = shape.split(',').map(Number) as [number, number];
  const outputs = Math.max(32, Math.min(rows, Math.floor(matrixMax / inputs)));
  const total = [...weights.values()].reduce((sum, count) => sum + count, 0);
  const copies = Math.max(1, Math.floor(Math.min(total, weightsMax) / (inputs * outputs)));
  return { type, inputs, outputs, copies: Math.min(copies, 1024) };
}

/**
 * One thread first, which shows the kernels' speed even on a busy machine. Q8_0's blocks are larger, so more threads,
 * which share the memory's bandwidth, can only make it look worse: they are asked only where one thread says yes.
 */
export function measure(workload: Workload, threads: number, time: TimeMatmuls): Verdict {
  const { type } = workload;
  const one = speedup(workload, 1, 1, time);
  const many = speedup({ ...workload, copies: Math.ceil(workload.copies / 8) }, manyTokens, 1, time);
  const verdict = { type, oneToken: one, manyTokens: many };
  if (!isGain(one, many)) return { ...verdict, pays: false };
  if (threads === 1) return { ...verdict, pays: true };
  const [first, second] = [speedup(workload, 1, threads, time), speedup(workload, 1, threads, time)];
  const isSteady = Math.max(first, second) <= Math.min(first, second) * steadiness;
  const shared = Math.min(first, second);
  return { ...verdict, oneToken: shared, pays: isSteady ? isGain(shared, many) : null };
}

function isGain(one: number, many: number): boolean {
  return Math.min(one, many) >= worstLoss && Math.sqrt(one * many) >= leastGain;
}

function speedup(
  { type, inputs, outputs, copies }: Workload,
  tokens: number,
  threads: number,
  time: TimeMatmuls,
): number {
  const types = [blockRules.get(type)!.name.toLowerCase(), 'q8_0'];
  const [before, after] = Array.from(time({ types, inputs, outputs, copies, tokens, threads, rounds }));
  return before! / after!;
}

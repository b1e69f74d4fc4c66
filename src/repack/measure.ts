import type { TensorEntry } from '../gguf/header.js';
import type { MatmulCase } from '../native/types.js';
import { blockRules } from './blocks.js';

export type TimeMatmuls = (matmuls: MatmulCase) => ArrayLike<number>;

/** How much faster Q8_0 is than another type on this CPU: 1.2 is a fifth more work in the same time. */
export interface Verdict {
  type: number;
  decode: number; // one token: one client's generation
  batch: number; // 32 tokens: many clients' generations, or a small chunk of a prompt
  prompt: number; // 256 tokens
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

const tokens = { decode: 1, batch: 32, prompt: 256 } as const;
const rounds = 5;
/** Weights of a pass: 64 M are as many bytes as large caches hold, and take some 10 ms to go through. */
const weightsMax = 1 << 26;
/** Of one matrix: filling it takes 20 ms at this size. */
const matrixMax = 1 << 22;

const leastGain = 1.1; // geometric mean of the three: the file on the disk has to be worth something
const worstLoss = 0.95; // of any: less is not told from noise
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
  const alone = {
    decode: speedup(workload, tokens.decode, 1, time),
    batch: speedup(workload, tokens.batch, 1, time),
    prompt: speedup(workload, tokens.prompt, 1, time),
  };
  const { type } = workload;
  if (threads === 1 || !isGain(alone)) return { type, ...alone, pays: isGain(alone) };
  const first = speedup(workload, tokens.decode, threads, time);
  const second = speedup(workload, tokens.decode, threads, time);
  const isSteady = Math.max(first, second) <= Math.min(first, second) * steadiness;
  const shared = { ...alone, decode: Math.min(first, second) };
  return { type, ...shared, pays: isSteady ? isGain(shared) : null };
}

function isGain({ decode, batch, prompt }: Pick<Verdict, 'decode' | 'batch' | 'prompt'>): boolean {
  return Math.min(decode, batch, prompt) >= worstLoss && Math.cbrt(decode * batch * prompt) >= leastGain;
}

function speedup(workload: Workload, tokens: number, threads: number, time: TimeMatmuls): number {
  const { type, inputs, outputs } = workload;
  const types = [blockRules.get(type)!.name.toLowerCase(), 'q8_0'];
  // Products of many tokens compute longer than they read: fewer matrices say as much.
  const copies = Math.ceil(workload.copies * Math.min(1, 4 / tokens));
  const [before, after] = Array.from(time({ types, inputs, outputs, copies, tokens, threads, rounds }));
  return before! / after!;
}

import { greedySampling } from '../../src/engine/prompt-only.js';
import { cpuOptions } from '../../src/native/cpu-options.js';
import { initBackends, loadAddon } from '../../src/native/index.js';
import type {
  ContextOptions,
  LoadOptions,
  NativeAddon,
  NativeContext,
  NativeModel,
  SampleResult,
  SamplerParams,
} from '../../src/native/types.js';

export const greedy: SamplerParams = { ...greedySampling, penaltyLastN: 0, seed: 1 };

/** The addon with the CPU backend: what a test sees must not depend on a GPU. */
export function cpuAddon(): NativeAddon {
  initBackends('cpu');
  return loadAddon();
}

export function loadModel(path: string, options: Partial<LoadOptions> = {}): Promise<NativeModel> {
  return cpuAddon().load(path, { ...cpuOptions, ...options }, () => {}).done;
}

const defaults = {
  pageSize: 16,
  pages: 128,
  maxSequences: 8,
  windowPages: 0,
  maxPagesPerSequence: 16,
  maxBatchTokens: 256,
  maxOutputs: 256,
  threads: 1,
  kvTypeK: 'f16',
  kvTypeV: 'f16',
  flashAttention: 'auto',
  attention: 'paged',
} satisfies Omit<ContextOptions, 'blockTables'>;

/** Each sequence has pages of its own, one after the other, unless `blockTables` say otherwise. */
export function createContext(model: NativeModel, options: Partial<ContextOptions> = {}): NativeContext {
  const sizes = { ...defaults, ...options };
  const cells = sizes.maxSequences * sizes.maxPagesPerSequence;
  const blockTables = options.blockTables ?? Int32Array.from({ length: cells }, (_, index) => index);
  return cpuAddon().createContext(model, { ...sizes, blockTables });
}

export interface Row {
  token: number;
  position: number;
  sequence: number;
  output?: boolean;
}

export function forward(context: NativeContext, rows: Row[]): void {
  context.forward({
    count: rows.length,
    tokens: Int32Array.from(rows, (row) => row.token),
    positions: Int32Array.from(rows, (row) => row.position),
    sequences: Int32Array.from(rows, (row) => row.sequence),
    outputs: Uint8Array.from(rows, (row) => (row.output === true ? 1 : 0)),
  });
}

/** A prompt's rows from position `start` on, with logits for the last. */
export function promptRows(tokens: ArrayLike<number>, sequence: number, start = 0): Row[] {
  return Array.from(tokens, (token, index) => ({
    token,
    position: start + index,
    sequence,
    output: index === tokens.length - 1,
  }));
}

export function sampleResult(rows: number): SampleResult {
  return {
    tokens: new Int32Array(rows),
    logprobs: new Float32Array(rows),
    topCounts: new Uint8Array(rows),
    topTokens: new Int32Array(rows * 20),
    topLogprobs: new Float32Array(rows * 20),
  };
}

/** Prompt and then `count` sampled tokens of one sequence. */
export function generate(
  context: NativeContext,
  prompt: Int32Array,
  count: number,
  { sequence = 0, params = greedy }: { sequence?: number; params?: SamplerParams } = {},
): number[] {
  const result = sampleResult(1);
  const generated: number[] = [];
  context.setSampler(sequence, params, prompt, 0);
  forward(context, promptRows(prompt, sequence));
  for (let position = prompt.length; ; position++) {
    context.sample(1, Int32Array.of(0), Int32Array.of(sequence), result);
    const token = result.tokens[0]!;
    generated.push(token);
    if (generated.length === count) break;
    forward(context, [{ token, position, sequence, output: true }]);
  }
  context.clearSampler(sequence);
  return generated;
}

export function argmax(logits: Float32Array): number {
  return logits.reduce((best, logit, index) => (logit > logits[best]! ? index : best), 0);
}

/** Largest distance of two rows of logits, relative to the spread of the first. */
export function distance(a: Float32Array, b: Float32Array): number {
  const spread = Math.max(...a) - Math.min(...a);
  return a.reduce((worst, value, index) => Math.max(worst, Math.abs(value - b[index]!)), 0) / spread;
}

import type { SampleResult } from '../native/types.js';
import type { TokenLogprob } from './types.js';

/** Alternatives that a row of a SampleResult has room for. */
const maxTopLogprobs = 20;

/** Room for what one sample() or logprobs() call yields. */
export function newSampleResult(rows: number): SampleResult {
  return {
    tokens: new Int32Array(rows),
    logprobs: new Float32Array(rows),
    topCounts: new Uint8Array(rows),
    topTokens: new Int32Array(rows * maxTopLogprobs),
    topLogprobs: new Float32Array(rows * maxTopLogprobs),
  };
}

/** A row's log-probability of `token`, with at most `most` alternatives. */
export function readLogprob(result: SampleResult, row: number, token: number, most: number): TokenLogprob {
  const count = Math.min(most, result.topCounts[row]!);
  const top = Array.from({ length: count }, (_, i) => ({
    token: result.topTokens[row * maxTopLogprobs + i]!,
    logprob: result.topLogprobs[row * maxTopLogprobs + i]!,
  }));
  return { token, logprob: result.logprobs[row]!, top };
}

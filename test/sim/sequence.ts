import { Sequence, type SequenceOptions } from '../../src/engine/sequence.js';

export const nowMs = 1_000_000;
let arrivals = 0;

/** For tests of the scheduler's parts: what a plain request gives, but for `options`; each arrives after the one before. */
export function newSequence(options: Partial<SequenceOptions> = {}): Sequence {
  return new Sequence({
    tenant: 'a',
    prompt: Int32Array.of(1),
    generated: [],
    maxNewTokens: 20,
    priority: 1,
    deadlineMs: null,
    arrival: arrivals++,
    enqueuedAtMs: nowMs,
    cacheable: true,
    speculative: true,
    promptOutputs: false,
    sessionId: null,
    ...options,
  });
}

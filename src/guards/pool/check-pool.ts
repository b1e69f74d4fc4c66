import type { GuardContext, GuardText } from '../types.js';
import type { CheckResult } from './protocol.js';

export interface Check {
  detectors: readonly number[];
  texts: readonly GuardText[];
  context: GuardContext;
  isFinal: boolean;
  timeoutMs: number;
}

/** Workers that look at texts. One that exceeds its time or its memory is ended, and another takes its place. */
export interface CheckPool {
  /** Rejects with a {@link CheckFailure}. */
  check(check: Check): Promise<CheckResult>;
  close(): Promise<void>;
}

export interface CheckPoolOptions {
  workers: number;
  maxQueue: number; // checks that may wait for a worker
  heapBytes: number; // of a worker
}

export type FailureReason = 'timeout' | 'busy' | 'crashed';

/** A check that didn't come to an end. */
export class CheckFailure extends Error {
  /** The guard that ran then; null where none had begun. */
  readonly detector: number | null;
  readonly reason: FailureReason;

  constructor(detector: number | null, reason: FailureReason, cause: unknown) {
    super(`a check has failed: ${reason}`, { cause });
    this.detector = detector;
    this.reason = reason;
  }
}

export const START_TIMEOUT_MS = 60_000;

/** Resolves when a worker has built these detectors. Rejects with a {@link CheckFailure} where one can't be built. */
export async function untilReady(pool: CheckPool, detectors: readonly number[]): Promise<void> {
  const context = { requestId: '', tenant: '', stage: 'input' } as const;
  await pool.check({ detectors, texts: [], context, isFinal: true, timeoutMs: START_TIMEOUT_MS });
}

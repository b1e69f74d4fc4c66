import { Piscina } from 'piscina';
import type { GuardContext, GuardText } from '../types.js';
import type { CheckResult, CheckTask, DetectorSpec } from './protocol.js';

export interface GuardPoolOptions {
  threads: number;
  maxQueue: number; // checks that may wait for a worker
  heapBytes: number; // of a worker
}

export interface Check {
  detectors: readonly number[];
  texts: readonly GuardText[];
  context: GuardContext;
  isFinal: boolean;
  timeoutMs: number;
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

const START_TIMEOUT_MS = 60_000;

/** Workers that look at texts. One that exceeds its time or its memory is ended, and another takes its place. */
export class GuardPool {
  readonly #pool: Piscina;
  readonly #detectors: readonly number[];

  constructor(specs: ReadonlyMap<number, DetectorSpec>, { threads, maxQueue, heapBytes }: GuardPoolOptions) {
    this.#detectors = [...specs.keys()];
    this.#pool = new Piscina({
      filename: new URL('./worker.js', import.meta.url).href,
      minThreads: threads,
      maxThreads: threads,
      idleTimeout: Number.POSITIVE_INFINITY,
      maxQueue,
      recordTiming: false,
      workerData: specs,
      resourceLimits: { maxOldGenerationSizeMb: Math.ceil(heapBytes / 2 ** 20) },
    });
    this.#pool.on('error', () => undefined); // of a worker without a task; it is replaced
  }

  /** Resolves when a worker has built its detectors. Rejects with a {@link CheckFailure} where one can't be built. */
  async ready(): Promise<void> {
    const context = { requestId: '', tenant: '', stage: 'input' } as const;
    await this.check({
      detectors: this.#detectors,
      texts: [],
      context,
      isFinal: true,
      timeoutMs: START_TIMEOUT_MS,
    });
  }

  /** Rejects with a {@link CheckFailure}. */
  async check({ timeoutMs, ...rest }: Check): Promise<CheckResult> {
    const progress = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)).fill(-1);
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), timeoutMs);
    try {
      const task: CheckTask = { ...rest, progress };
      return (await this.#pool.run(task, { signal: deadline.signal })) as CheckResult;
    } catch (error) {
      const running = Atomics.load(progress, 0);
      const reason = deadline.signal.aborted ? 'timeout' : running < 0 ? 'busy' : 'crashed';
      throw new CheckFailure(running < 0 ? null : running, reason, error);
    } finally {
      clearTimeout(timer);
    }
  }

  close(): Promise<void> {
    return this.#pool.destroy();
  }
}

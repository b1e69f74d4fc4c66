import { Piscina } from 'piscina';
import { type Check, CheckFailure, type CheckPool, type CheckPoolOptions } from './check-pool.js';
import type { CheckResult, DetectorSpecs, ThreadTask } from './protocol.js';

/** Threads, for the detectors that are built in: V8 ends all of a process where a thread asks for much more memory than it may have. */
export class ThreadPool implements CheckPool {
  readonly #pool: Piscina;

  constructor(specs: DetectorSpecs, { workers, maxQueue, heapBytes }: CheckPoolOptions) {
    this.#pool = new Piscina({
      filename: new URL('./check-thread.js', import.meta.url).href,
      minThreads: workers,
      maxThreads: workers,
      idleTimeout: Number.POSITIVE_INFINITY,
      maxQueue,
      recordTiming: false,
      workerData: specs,
      resourceLimits: { maxOldGenerationSizeMb: Math.ceil(heapBytes / 2 ** 20) },
    });
    this.#pool.on('error', () => undefined); // of a worker without a task; it is replaced
  }

  async check({ timeoutMs, ...task }: Check): Promise<CheckResult> {
    const progress = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)).fill(-1);
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), timeoutMs);
    try {
      const threadTask: ThreadTask = { ...task, progress };
      return (await this.#pool.run(threadTask, { signal: deadline.signal })) as CheckResult;
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

import { EventEmitter } from 'node:events';
import { Piscina } from 'piscina';
import { endPool } from '../../support/end-pool.js';
import { type Check, CheckFailure, type CheckPool, type CheckPoolOptions } from './check-pool.js';
import type { CheckResult, DetectorSpecs, ThreadSetup, ThreadTask } from './protocol.js';

const WAITS = -1;

/** Threads, for the detectors that are built in: V8 ends all of a process where a thread asks for much more memory than it may have. */
export class ThreadPool implements CheckPool {
  readonly #pool: Piscina;
  /** By slot; a task has one while it waits or runs: memory that is shared for each alone would cost as much as a short check. */
  readonly #progress: Int32Array;
  readonly #freeSlots: number[];

  constructor(specs: DetectorSpecs, { workers, maxQueue, heapBytes }: CheckPoolOptions) {
    const slots = maxQueue + workers;
    this.#progress = new Int32Array(new SharedArrayBuffer(slots * Int32Array.BYTES_PER_ELEMENT));
    this.#freeSlots = Array.from({ length: slots }, (_, slot) => slot);
    const setup: ThreadSetup = { specs, progress: this.#progress };
    this.#pool = new Piscina({
      filename: new URL('./check-thread.js', import.meta.url).href,
      minThreads: workers,
      maxThreads: workers,
      idleTimeout: Number.POSITIVE_INFINITY,
      maxQueue,
      recordTiming: false,
      workerData: setup,
      resourceLimits: { maxOldGenerationSizeMb: Math.ceil(heapBytes / 2 ** 20) },
    });
    this.#pool.on('error', () => undefined); // of a worker without a task; it is replaced
  }

  async check({ timeoutMs, ...task }: Check): Promise<CheckResult> {
    const slot = this.#freeSlots.pop();
    if (slot === undefined) throw new CheckFailure(null, 'busy', new Error('too many checks wait'));
    Atomics.store(this.#progress, slot, WAITS);
    const deadline = new Deadline(timeoutMs);
    try {
      const threadTask: ThreadTask = { ...task, slot };
      return (await this.#pool.run(threadTask, { signal: deadline })) as CheckResult;
    } catch (error) {
      const running = Atomics.load(this.#progress, slot);
      const reason = deadline.aborted ? 'timeout' : running === WAITS ? 'busy' : 'crashed';
      throw new CheckFailure(running === WAITS ? null : running, reason, error);
    } finally {
      deadline.clear();
      if (deadline.aborted)
        this.#freeSlots.unshift(slot); // its thread may write there until it has ended: to be used last
      else this.#freeSlots.push(slot);
    }
  }

  close(): Promise<void> {
    return endPool(this.#pool);
  }
}

/** An abort signal of less weight than the platform's. */
class Deadline extends EventEmitter {
  aborted = false;
  readonly #timer: NodeJS.Timeout;

  constructor(timeoutMs: number) {
    super();
    this.#timer = setTimeout(() => {
      this.aborted = true;
      this.emit('abort');
    }, timeoutMs);
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}

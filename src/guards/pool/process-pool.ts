import { type Check, CheckFailure, type CheckPool, type CheckPoolOptions } from './check-pool.js';
import { GuardProcess } from './guard-process.js';
import { Job } from './job.js';
import type { CheckResult, DetectorSpecs } from './protocol.js';

/** Processes, for modules that aren't ours: whatever one does to its process, the server doesn't feel it. */
export class ProcessPool implements CheckPool {
  readonly #specs: DetectorSpecs;
  readonly #options: CheckPoolOptions;
  readonly #processes = new Set<GuardProcess>();
  readonly #free: GuardProcess[] = [];
  readonly #queue: Job[] = [];
  #isClosed = false;

  constructor(specs: DetectorSpecs, options: CheckPoolOptions) {
    this.#specs = specs;
    this.#options = options;
  }

  async check({ timeoutMs, ...task }: Check): Promise<CheckResult> {
    this.#fill();
    if (this.#free.length === 0 && this.#queue.length >= this.#options.maxQueue)
      throw new CheckFailure(null, 'busy', new Error('too many checks wait for a process'));
    const job = new Job(task, timeoutMs, (late) => this.#giveUp(late));
    this.#queue.push(job);
    this.#dispatch();
    return await job.result;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const all = [...this.#processes];
    for (const process of all) process.kill();
    await Promise.all(all.map(({ ended }) => ended));
  }

  #fill(): void {
    while (this.#processes.size < this.#options.workers && !this.#isClosed) {
      const listener = {
        onFree: (process: GuardProcess) => {
          this.#free.push(process);
          this.#dispatch();
        },
        onEnd: (process: GuardProcess, cause: Error) => this.#replace(process, cause),
      };
      this.#processes.add(new GuardProcess(this.#specs, this.#options.heapBytes, listener));
    }
  }

  #dispatch(): void {
    while (this.#free.length > 0 && this.#queue.length > 0) this.#free.pop()!.run(this.#queue.shift()!);
  }

  #giveUp(late: Job): void {
    remove(this.#queue, late);
    for (const process of this.#processes) if (process.job === late) process.kill();
  }

  /** One that ended at work is replaced at once, any other by the next check: so that none that can't live is started in a loop. */
  #replace(process: GuardProcess, cause: Error): void {
    this.#processes.delete(process);
    remove(this.#free, process);
    const { job } = process;
    if (job && !job.isSettled) {
      // It hadn't begun with this one: another can.
      if (job.running === null && !this.#isClosed) this.#queue.unshift(job);
      else job.fail('crashed', cause);
    }
    if (job) this.#fill();
    else if (this.#processes.size === 0 && !process.isReady) {
      for (const waiting of this.#queue.splice(0)) waiting.fail('crashed', cause);
    }
    this.#dispatch();
  }
}

function remove<T>(list: T[], item: T): void {
  const index = list.indexOf(item);
  if (index >= 0) list.splice(index, 1);
}

import { CheckFailure, type FailureReason } from './check-pool.js';
import type { CheckResult, CheckTask } from './protocol.js';

/** A check that waits for a process or is in one. */
export class Job {
  readonly task: CheckTask;
  readonly result: Promise<CheckResult>;
  /** The detector that runs; null: none has begun. */
  running: number | null = null;
  isSettled = false;
  readonly #timer: NodeJS.Timeout;
  #resolve!: (result: CheckResult) => void;
  #reject!: (failure: CheckFailure) => void;

  constructor(task: CheckTask, timeoutMs: number, onTimeout: (job: Job) => void) {
    this.task = task;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#timer = setTimeout(() => {
      this.fail('timeout', new Error(`not done after ${timeoutMs} ms`));
      onTimeout(this);
    }, timeoutMs);
  }

  succeed(result: CheckResult): void {
    this.#settle();
    this.#resolve(result);
  }

  fail(reason: FailureReason, cause: unknown): void {
    this.#settle();
    this.#reject(new CheckFailure(this.running, reason, cause));
  }

  #settle(): void {
    this.isSettled = true;
    clearTimeout(this.#timer);
  }
}

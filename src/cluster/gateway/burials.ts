import type { DeadLetters } from '../queue/dead-letters.js';
import type { QueuedWork } from '../queue/work-queue.js';

/** Requests that are on their way to the dead letters. */
export class Burials {
  readonly #underWay = new Set<Promise<void>>();
  readonly #onFault: (request: string, reason: string) => void;

  constructor(onFault: (request: string, reason: string) => void) {
    this.#onFault = onFault;
  }

  begin(dead: DeadLetters, work: QueuedWork, reason: string): void {
    const burial = dead
      .bury(work, reason)
      .catch(({ message }: Error) => this.#onFault(work.request, message))
      .finally(() => this.#underWay.delete(burial));
    this.#underWay.add(burial);
  }

  async ended(): Promise<void> {
    await Promise.all(this.#underWay);
  }
}

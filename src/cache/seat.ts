import type { CacheReport, GenerationEvent, Usage } from '../generation/types.js';
import { cancelledAnswer } from '../routing/cancelled.js';
import type { Errand } from '../routing/router.js';
import { UsageMeter } from '../routing/usage-meter.js';
import { withFields } from '../support/with-fields.js';
import { routeOf } from './replay.js';

/** A request's place on a flight: it sees the events as its own, and can leave before the end. */
export class Seat {
  readonly #errand: Errand;
  readonly #report: CacheReport;
  readonly #meter = new UsageMeter(0);
  readonly #take;
  readonly #done = new Set<number>();
  #model: string | null = null; // that answers, once it does

  constructor(errand: Errand, report: CacheReport) {
    this.#errand = errand;
    this.#report = report;
    this.#take = this.#meter.observe((event) => this.#give(event));
  }

  /** Whether anything of an answer has been given out. */
  get hasStarted(): boolean {
    return this.#model !== null;
  }

  /** That answers; until that is known, the one to be asked first. */
  get model(): string {
    return this.#model ?? this.#errand.plan.candidates[0]!.deployment.id;
  }

  take(event: GenerationEvent): void {
    this.#take(event);
  }

  /** The client gave up: what it hasn't got ends as cancelled. */
  cancelRest(): Usage {
    const usage = cancelledAnswer(this.model, this.#errand.request, (event) => {
      const isKnown = event.type === 'done' ? this.#done.has(event.choice) : this.hasStarted;
      if (!isKnown) this.#give(event);
    });
    return { ...usage, ...this.#meter.counts, cache: this.#report };
  }

  #give(event: GenerationEvent): void {
    const { plan, tab, sink } = this.#errand;
    if (event.type === 'start') {
      this.#model = event.model;
      const own = { route: routeOf(plan, event.model), quota: tab.quota(), cache: this.#report };
      sink(withFields(event, own));
      return;
    }
    if (event.type === 'done') this.#done.add(event.choice);
    sink(event);
  }
}

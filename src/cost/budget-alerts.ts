import type { Standing } from '../limits/refusal.js';
import type { BudgetAlert } from '../store/types.js';
import { dollars } from '../support/money.js';
import type { Webhook } from './webhook.js';

const PERCENTS = [50, 80, 100];

/** Alerts under way at once; the others stay in the store and are sent at the next start. */
const MAX_SENDING = 64;

export interface AlertStore {
  recordAlert(alert: BudgetAlert): Promise<boolean>;
  alertDelivered(alert: BudgetAlert, nowMs: number): Promise<void>;
  undeliveredAlerts(sinceMs: number, maxRows: number): Promise<BudgetAlert[]>;
}

export interface BudgetAlertsOptions {
  store: AlertStore;
  webhook: Webhook;
  nowMs: () => number;
  onFault: (error: unknown) => void;
}

/**
 * Tells when a budget is spent to 50, 80 and 100 %: each once a period, delivered at least once, also across restarts.
 */
export class BudgetAlerts {
  readonly #options: BudgetAlertsOptions;
  readonly #stop = new AbortController();
  readonly #told = new Map<string, { sinceMs: number; percent: number }>(); // by scope: the highest
  readonly #sending = new Set<Promise<void>>();

  constructor(options: BudgetAlertsOptions) {
    this.#options = options;
  }

  /** To be called when a scope has spent something. */
  spent(standing: Standing): void {
    if (standing.budget !== null) this.#reached(standing, (standing.settled * 100) / standing.budget);
  }

  /** A request was refused: though some cents may be left, the budget is spent. */
  exhausted(standing: Standing): void {
    this.#reached(standing, 100);
  }

  /** Sends what an earlier process could not. */
  async resume(sinceMs: number): Promise<void> {
    for (const alert of await this.#options.store.undeliveredAlerts(sinceMs, MAX_SENDING)) this.#send(alert);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#sending);
  }

  #reached({ scope, period, budget, sinceMs, settled }: Standing, share: number): void {
    const percent = PERCENTS.findLast((each) => share >= each);
    if (percent === undefined || budget === null) return;
    const told = this.#told.get(scope);
    if (told?.sinceMs === sinceMs && told.percent >= percent) return;
    this.#told.set(scope, { sinceMs, percent });
    const body = JSON.stringify({
      type: 'budget.alert',
      scope,
      percent,
      spent_dollars: dollars(settled),
      budget_dollars: dollars(budget),
      period,
      period_start: new Date(sinceMs).toISOString(),
      sent_at: new Date(this.#options.nowMs()).toISOString(),
    });
    this.#track(this.#record({ scope, period, periodStartMs: sinceMs, percent, body }));
  }

  async #record(alert: BudgetAlert): Promise<void> {
    const isNew = await this.#options.store.recordAlert(alert);
    if (isNew && this.#sending.size <= MAX_SENDING) this.#send(alert);
  }

  #send(alert: BudgetAlert): void {
    const { store, webhook, nowMs } = this.#options;
    const delivery = async () => {
      if (await webhook.send(alert.body, this.#stop.signal)) await store.alertDelivered(alert, nowMs());
      else if (!this.#stop.signal.aborted)
        this.#options.onFault(new Error(`alert for ${alert.scope} not delivered`));
    };
    this.#track(delivery());
  }

  #track(work: Promise<void>): void {
    const tracked = work.catch(this.#options.onFault).finally(() => this.#sending.delete(tracked));
    this.#sending.add(tracked);
  }
}

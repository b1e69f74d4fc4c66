import type { Webhook } from '../../cost/webhook.js';
import type { EvalAlertRow } from '../../store/index.js';
import type { Log } from '../../telemetry/log.js';

const MAX_SENDING = 64;
const RESUMED_MS = 86_400_000;

export interface LiveAlertStore {
  recordEvalAlert(alert: EvalAlertRow, quietMs: number): Promise<boolean>;
  evalAlertDelivered(alert: EvalAlertRow, nowMs: number): Promise<void>;
  undeliveredEvalAlerts(sinceMs: number): Promise<EvalAlertRow[]>;
}

export interface LiveAlertsOptions {
  store: LiveAlertStore | null; // null: remembered by this process only
  webhook: Webhook | null; // null: logged only
  quietMs: number;
  log: Log;
  now: () => number;
}

/** Tells of what is wrong with answers: in the log and by webhook, the same thing once in a while. */
export class LiveAlerts {
  readonly #options: LiveAlertsOptions;
  readonly #stop = new AbortController();
  readonly #raisedAt = new Map<string, number>();
  readonly #sending = new Set<Promise<void>>();

  constructor(options: LiveAlertsOptions) {
    this.#options = options;
  }

  /** `subject` tells what it is about; `details` is sent as it is. */
  raise(subject: string, details: Record<string, unknown>): void {
    const { quietMs, now } = this.#options;
    const atMs = now();
    const last = this.#raisedAt.get(subject);
    if (last !== undefined && atMs - last < quietMs) return;
    this.#raisedAt.set(subject, atMs);
    const body = JSON.stringify({
      type: 'evaluation.alert',
      subject,
      ...details,
      sent_at: new Date(atMs).toISOString(),
    });
    this.#track(this.#record({ subject, atMs, body }, details));
  }

  /** Sends what an earlier process could not. */
  async resume(): Promise<void> {
    const { store, now } = this.#options;
    for (const alert of (await store?.undeliveredEvalAlerts(now() - RESUMED_MS)) ?? [])
      this.#track(this.#send(alert));
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#sending);
  }

  async #record(alert: EvalAlertRow, details: Record<string, unknown>): Promise<void> {
    const { log } = this.#options;
    if (!(await this.#isNew(alert))) return; // another process has told of it
    log.warn({ subject: alert.subject, ...details }, 'evaluation alert');
    await this.#send(alert);
  }

  /** Where that can't be kept, as on a full disk, it is told all the same. */
  async #isNew(alert: EvalAlertRow): Promise<boolean> {
    const { store, log, quietMs } = this.#options;
    try {
      return (await store?.recordEvalAlert(alert, quietMs)) ?? true;
    } catch (error) {
      log.error({ err: error, subject: alert.subject }, 'evaluation alert not kept');
      return true;
    }
  }

  async #send(alert: EvalAlertRow): Promise<void> {
    const { store, webhook, now, log } = this.#options;
    if (!webhook || this.#sending.size > MAX_SENDING) return;
    if (await webhook.send(alert.body, this.#stop.signal)) await store?.evalAlertDelivered(alert, now());
    else if (!this.#stop.signal.aborted)
      log.error({ subject: alert.subject }, 'evaluation alert not delivered');
  }

  #track(work: Promise<void>): void {
    const onFault = (error: unknown) => this.#options.log.error({ err: error }, 'evaluation alert');
    const tracked = work.catch(onFault).finally(() => this.#sending.delete(tracked));
    this.#sending.add(tracked);
  }
}

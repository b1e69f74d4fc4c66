import { type Access, KeyAccess, KeyDirectory, type KeyStore, openAccess } from '../auth/index.js';
import { type Config, isLoopback } from '../config/index.js';
import { type Accounting, KeyAccounting, noAccounting } from '../cost/accounting.js';
import type { Books } from '../cost/books.js';
import { type AlertStore, BudgetAlerts } from '../cost/budget-alerts.js';
import { Webhook } from '../cost/webhook.js';
import { periodStart } from '../limits/calendar.js';
import { dataDirectory, openStore, type Store } from '../store/index.js';
import type { GenerationMetrics } from '../telemetry/generation.js';
import type { Log } from '../telemetry/log.js';
import { openLocalSource } from './local-source.js';
import type { OpenSource } from './tenancy-source.js';

/** How late a revoked key may still be believed, and a change of limits go unseen. */
const WATCH_INTERVAL_MS = 250;
const PRUNE_INTERVAL_MS = 3_600_000;
const CHECKPOINT_INTERVAL_MS = 1_000;
const DAY_MS = 86_400_000;

/** Keys, limits, budgets and usage, and the store behind them. */
export interface Tenancy {
  access: Access;
  accounting: Accounting;
  /** What administrators work on; null where there is no store. */
  office: Office | null;
  close(): Promise<void>;
}

export interface Office {
  store: Store;
  keys: KeyStore;
  /** On a connection of its own: a long report must not hold up settlements. It has all that was settled before the call. */
  reports(): Promise<Store>;
  directory: KeyDirectory;
  books: Books;
  /** Makes what was written known here. */
  refresh(): Promise<void>;
}

/** A server that has no store: everyone may do everything. */
export function withoutTenancy(config: Config): Tenancy {
  return {
    access: openAccess(isLoopback(config.server.host)),
    accounting: noAccounting,
    office: null,
    close: () => Promise.resolve(),
  };
}

/** Opens the data folder, and where keys and books are. Rejects with store_unavailable. */
export async function openTenancy(
  config: Config,
  metrics: GenerationMetrics,
  log: Log,
  openSource: OpenSource = openLocalSource,
): Promise<Tenancy> {
  const folder = dataDirectory(config.data.dir, process.env);
  const store = await openStore(folder);
  const second = new LazyStore(folder);
  const onFault = (error: unknown) => log.error({ err: error }, 'store');
  const source = await openSource({ config, store, onFault }).catch(async (error: unknown) => {
    await store.close();
    throw error;
  });

  const { books } = source;
  const directory = new KeyDirectory(source.keys, ({ scope, limits }) => books.setLimits(scope, limits));
  const access = new KeyAccess({
    directory,
    maxStalenessMs: config.cluster.keyStalenessMs,
    isLoopback: isLoopback(config.server.host),
    nowMs: Date.now,
    onFault,
  });
  const alerts = openAlerts(config, source.alerts, onFault);
  const accounting = new KeyAccounting({
    books,
    alerts,
    capacity: config.routing.maxWaiting + config.engine.maxSequences,
    monotonicMs: () => performance.now(),
    onCost: (model, nanodollars) => metrics.spent(model, nanodollars),
  });
  const close = async () => {
    access.stop();
    clearInterval(pruning);
    clearInterval(checkpoints);
    await source.close();
    await alerts?.close();
    await second.close();
    await store.close();
  };
  const pruning = setInterval(() => {
    prune(store, config).catch(onFault);
  }, PRUNE_INTERVAL_MS).unref();

  let checkpointed = 0;
  const checkpoints = setInterval(() => {
    if (source.written === checkpointed) return;
    checkpointed = source.written;
    second.checkpoint().catch(onFault);
  }, CHECKPOINT_INTERVAL_MS).unref();

  try {
    await source.watch(() => void access.refresh().catch(onFault));
    await access.refresh();
    if (directory.hasKeys) {
      await source.start();
      await alerts?.resume(oldestPeriod(Date.now()));
    }
  } catch (error) {
    await close();
    throw error;
  }
  access.watch(WATCH_INTERVAL_MS);
  const reports = async () => {
    await source.current().catch(onFault); // what is here is shown
    return await second.open();
  };
  const refresh = () => access.refresh();
  const office: Office = { store, keys: source.keys, reports, directory, books, refresh };
  return { access, accounting, office, close };
}

/** A second connection to the store, for what takes long: reports, and writing the log into the database. */
class LazyStore {
  readonly #folder: string;
  #opened: Promise<Store> | null = null;

  constructor(folder: string) {
    this.#folder = folder;
  }

  open(): Promise<Store> {
    this.#opened ??= openStore(this.#folder);
    return this.#opened;
  }

  async checkpoint(): Promise<void> {
    await (await this.open()).checkpoint();
  }

  async close(): Promise<void> {
    await (await this.#opened)?.close();
  }
}

function openAlerts(
  { alerts: { url, secret } }: Config,
  store: AlertStore,
  onFault: (error: unknown) => void,
): BudgetAlerts | null {
  if (url === '') return null;
  const webhook = new Webhook({ url, secret, nowMs: Date.now });
  return new BudgetAlerts({ store, webhook, nowMs: Date.now, onFault });
}

/** When the longest period that a budget may have now began. */
function oldestPeriod(nowMs: number): number {
  return Math.min(periodStart('week', nowMs), periodStart('month', nowMs));
}

async function prune(store: Store, { usage, evaluation }: Config): Promise<void> {
  const beforeMs = Date.now() - usage.retentionDays * DAY_MS;
  while (await store.pruneLedger(beforeMs));
  await store.pruneAlerts(beforeMs);
  await store.pruneEvalLive(Date.now() - evaluation.retentionDays * DAY_MS);
}

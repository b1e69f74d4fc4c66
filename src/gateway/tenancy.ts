import { type Access, KeyAccess, KeyDirectory, type KeyStore, openAccess } from '../auth/index.js';
import { type Config, isLoopback } from '../config/index.js';
import { type Accounting, KeyAccounting, noAccounting } from '../cost/accounting.js';
import type { Books } from '../cost/books.js';
import { BudgetAlerts } from '../cost/budget-alerts.js';
import { Ledger } from '../cost/ledger.js';
import { LocalBooks } from '../cost/local-books.js';
import { Webhook } from '../cost/webhook.js';
import { SluiceError } from '../errors.js';
import { Accounts } from '../limits/accounts.js';
import { periodStart } from '../limits/calendar.js';
import type { Instant } from '../limits/window.js';
import { dataDirectory, openStore, type Store } from '../store/index.js';
import type { GenerationMetrics } from '../telemetry/generation.js';
import type { Log } from '../telemetry/log.js';

/** How late a revoked key may still be believed, and a change of limits go unseen. */
const WATCH_INTERVAL_MS = 250;
const LEDGER_RETRY_MS = 1_000;
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
  /** On a connection of its own: a long report must not hold up settlements. */
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

/** Opens the data folder. Rejects with store_unavailable. */
export async function openTenancy(config: Config, metrics: GenerationMetrics, log: Log): Promise<Tenancy> {
  const folder = dataDirectory(config.data.dir, process.env);
  const store = await openStore(folder);
  const second = new LazyStore(folder);
  const onFault = (error: unknown) => log.error({ err: error }, 'store');

  const accounts = new Accounts();
  const directory = new KeyDirectory(store, ({ scope, limits }) => accounts.setLimits(scope, limits));
  const access = new KeyAccess({
    directory,
    isLoopback: isLoopback(config.server.host),
    nowMs: Date.now,
    onFault,
  });
  const ledger = new Ledger({
    store,
    maxPending: config.usage.maxPending,
    retryMs: LEDGER_RETRY_MS,
    onFault,
  });
  const alerts = openAlerts(config, store, onFault);
  const books = new LocalBooks({
    accounts,
    ledger,
    now: instant,
    restore: () => restore(store, accounts, alerts),
  });
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
    await ledger.flush();
    await alerts?.close();
    await second.close();
    await store.close();
  };
  const pruning = setInterval(() => {
    prune(store, config).catch(onFault);
  }, PRUNE_INTERVAL_MS).unref();

  let checkpointed = 0;
  const checkpoints = setInterval(() => {
    if (ledger.written === checkpointed) return;
    checkpointed = ledger.written;
    second.checkpoint().catch(onFault);
  }, CHECKPOINT_INTERVAL_MS).unref();

  try {
    await access.refresh();
    if (directory.hasKeys) await books.restore();
  } catch (error) {
    await close();
    throw error;
  }
  access.watch(WATCH_INTERVAL_MS);
  const office: Office = {
    store,
    keys: store,
    reports: () => second.open(),
    directory,
    books,
    refresh: () => access.refresh(),
  };
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
  store: Store,
  onFault: (error: unknown) => void,
): BudgetAlerts | null {
  if (url === '') return null;
  const webhook = new Webhook({ url, secret, nowMs: Date.now });
  return new BudgetAlerts({ store, webhook, nowMs: Date.now, onFault });
}

/** What was settled by earlier processes counts on; what they had only reserved doesn't. */
async function restore(store: Store, accounts: Accounts, alerts: BudgetAlerts | null): Promise<void> {
  if (!(await store.lockForServer())) {
    throw new SluiceError(
      'store_unavailable',
      'Another server keeps its accounts in this data folder; give each its own with --data.',
    );
  }
  const { wallMs } = instant();
  const starts = {
    dayMs: periodStart('day', wallMs),
    weekMs: periodStart('week', wallMs),
    monthMs: periodStart('month', wallMs),
  };
  const [totals, recent] = await Promise.all([store.totals(starts), store.recentUse(wallMs - 61_000)]);
  accounts.restore(totals, recent, instant());
  await alerts?.resume(Math.min(starts.weekMs, starts.monthMs));
}

async function prune(store: Store, { usage, evaluation }: Config): Promise<void> {
  const beforeMs = Date.now() - usage.retentionDays * DAY_MS;
  while (await store.pruneLedger(beforeMs));
  await store.pruneAlerts(beforeMs);
  await store.pruneEvalLive(Date.now() - evaluation.retentionDays * DAY_MS);
}

function instant(): Instant {
  return { monotonicMs: performance.now(), wallMs: Date.now() };
}

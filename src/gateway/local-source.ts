import { Ledger } from '../cost/ledger.js';
import { LocalBooks } from '../cost/local-books.js';
import { SluiceError } from '../errors.js';
import { Accounts } from '../limits/accounts.js';
import type { Instant } from '../limits/window.js';
import { dataDirectory, Journal, JournalWriter, type Store } from '../store/index.js';
import type { SourceParts, TenancySource } from './tenancy-source.js';
import { usedBefore } from './used-before.js';

const LEDGER_RETRY_MS = 1_000;

/** Everything in this process and its store. */
export async function openLocalSource({ config, store, onFault }: SourceParts): Promise<TenancySource> {
  const { maxPending } = config.usage;
  const folder = dataDirectory(config.data.dir, process.env);
  const journal = new Journal({
    open: async () => new JournalWriter(folder, await store.nextJournalNumber()),
    apply: () => store.applyJournal(),
    maxUnapplied: maxPending,
    retryMs: LEDGER_RETRY_MS,
    onFault,
  });
  const ledger = new Ledger({ store: journal, maxPending, retryMs: LEDGER_RETRY_MS, onFault });
  const accounts = new Accounts();
  const books = new LocalBooks({ accounts, ledger, now: instant, restore: () => restore(store, accounts) });
  return {
    keys: store,
    books,
    alerts: store,
    get written() {
      return ledger.written;
    },
    start: () => books.restore(),
    watch: () => Promise.resolve(),
    current: () => Promise.resolve(),
    close: async () => {
      await ledger.flush();
      await journal.close();
    },
  };
}

/** What was settled by earlier processes counts on; what they had only reserved doesn't. */
async function restore(store: Store, accounts: Accounts): Promise<void> {
  if (!(await store.lockForServer())) {
    throw new SluiceError(
      'store_unavailable',
      'Another server keeps its accounts in this data folder; give this one its own with --data DIR.',
    );
  }
  const { totals, recent } = await usedBefore(store, Date.now());
  accounts.restore(totals, recent, instant());
}

function instant(): Instant {
  return { monotonicMs: performance.now(), wallMs: Date.now() };
}

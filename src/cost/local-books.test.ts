import { booksConform } from '../../test/support/books-conformance.js';
import { Accounts } from '../limits/accounts.js';
import type { LedgerEntry } from '../store/types.js';
import { Ledger } from './ledger.js';
import { LocalBooks } from './local-books.js';

booksConform('books of one process', async () => {
  const kept: LedgerEntry[] = [];
  const ledger = new Ledger({
    store: {
      appendLedger: async (entries) => {
        kept.push(...entries);
      },
    },
    maxPending: 1000,
    retryMs: 1,
    onFault: (error) => {
      throw error;
    },
  });
  const books = new LocalBooks({
    accounts: new Accounts(),
    ledger,
    now: () => ({ monotonicMs: performance.now(), wallMs: Date.now() }),
    restore: () => Promise.resolve(),
  });
  return { books: [books], kept: async () => kept };
});

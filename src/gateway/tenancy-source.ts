import type { KeyStore } from '../auth/index.js';
import type { DirectorySource } from '../auth/key-directory.js';
import type { Config } from '../config/index.js';
import type { Books } from '../cost/books.js';
import type { AlertStore } from '../cost/budget-alerts.js';
import type { Store } from '../store/index.js';

/** Where keys, books and alerts are: in this process and its store, or shared by the gateways of a cluster. */
export interface TenancySource {
  keys: KeyStore & DirectorySource;
  books: Books;
  alerts: AlertStore;
  /** Entries of the ledger that were written to the store so far. */
  readonly written: number;
  /** Called where there are keys. Rejects where their use can't be accounted here. */
  start(): Promise<void>;
  /** Has `listener` called when keys or limits may have changed. Where it isn't, they are looked for now and then. */
  watch(listener: () => void): Promise<void>;
  /** Resolves when the store's ledger has all that was settled before the call. */
  current(): Promise<void>;
  /** Keeps what isn't kept yet. */
  close(): Promise<void>;
}

export interface SourceParts {
  config: Config;
  store: Store;
  onFault: (error: unknown) => void;
}

export type OpenSource = (parts: SourceParts) => Promise<TenancySource>;

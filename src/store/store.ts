import { type ErrorCode, errorTable, SluiceError } from '../errors.js';
import { openRemote, type Remote, type RemoteFault } from '../support/remote.js';
import type { Database } from './database.js';

/** The operations of a {@link Database}, each on the store's worker: none blocks the caller. In the order of their calls. */
export type Store = Remote<Database>;

/** Starts the worker. Rejects with store_unavailable where the data folder can't be used. */
export function openStore(directory: string): Promise<Store> {
  const module = new URL('./store-worker.js', import.meta.url);
  return openRemote<Database>(module, { data: { directory }, errorOf });
}

function errorOf({ code, message }: RemoteFault, cause?: unknown): SluiceError {
  if (code !== null && Object.hasOwn(errorTable, code)) return new SluiceError(code as ErrorCode, message);
  return new SluiceError('store_unavailable', `The store can't be used: ${message}.`, {
    retryAfterSeconds: 5,
    cause: cause ?? new Error(message),
  });
}

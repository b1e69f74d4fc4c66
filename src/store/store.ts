import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type ErrorCode, SluiceError } from '../errors.js';
import type { Database } from './database.js';

type Operations = Omit<Database, 'close'>;

/** The operations of a {@link Database}, each on the store's worker: none blocks the caller. In the order of their calls. */
export type Store = {
  [Name in keyof Operations]: (
    ...args: Parameters<Operations[Name]>
  ) => Promise<ReturnType<Operations[Name]>>;
} & { close(): Promise<void> };

export interface StoreCall {
  id: number;
  operation: keyof Database;
  args: unknown[];
}

export type StoreAnswer =
  | { id: number; value: unknown }
  | { id: number; error: { code: ErrorCode | null; message: string } };

interface Waiting {
  resolve(value: unknown): void;
  reject(error: SluiceError): void;
}

/** Starts the worker. Rejects with store_unavailable where the data folder can't be used. */
export async function openStore(directory: string): Promise<Store> {
  const worker = new Worker(new URL('./store-worker.js', import.meta.url), { workerData: { directory } });
  const [opened] = (await once(worker, 'message')) as [StoreAnswer];
  if ('error' in opened) {
    await worker.terminate();
    throw errorOf(opened.error);
  }
  return clientOf(worker);
}

function clientOf(worker: Worker): Store {
  const waiting = new Map<number, Waiting>();
  let nextId = 1;
  let isGone = false;

  const call = (operation: keyof Database, args: unknown[]) =>
    new Promise((resolve, reject) => {
      if (isGone) return reject(unavailable('its thread has ended'));
      const id = nextId++;
      waiting.set(id, { resolve, reject });
      worker.postMessage({ id, operation, args } satisfies StoreCall);
    });
  const end = (cause: unknown) => {
    isGone = true;
    for (const { reject } of waiting.values()) reject(unavailable('its thread has ended', cause));
    waiting.clear();
  };
  worker.on('message', (answer: StoreAnswer) => {
    const { resolve, reject } = waiting.get(answer.id)!;
    waiting.delete(answer.id);
    if ('error' in answer) reject(errorOf(answer.error));
    else resolve(answer.value);
  });
  worker.on('error', end);
  worker.on('exit', end);

  const close = async () => {
    if (isGone) return;
    await call('close', []);
    await worker.terminate();
  };
  const target = { close } as Store;
  return new Proxy(target, {
    get: (_, name) => {
      if (name === 'close') return close;
      if (name === 'then') return undefined; // a store isn't a promise
      return (...args: unknown[]) => call(name as keyof Database, args);
    },
  });
}

function errorOf({ code, message }: { code: ErrorCode | null; message: string }): SluiceError {
  if (code === null) return unavailable(message, new Error(message));
  return new SluiceError(code, message);
}

function unavailable(why: string, cause?: unknown): SluiceError {
  return new SluiceError('store_unavailable', `The store can't be used: ${why}.`, {
    retryAfterSeconds: 5,
    cause,
  });
}

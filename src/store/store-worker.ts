/** The thread that owns the server's connection to the store. */
import { parentPort, workerData } from 'node:worker_threads';
import { SluiceError } from '../errors.js';
import { type Database, openDatabase } from './database.js';
import type { StoreAnswer, StoreCall } from './store.js';

const port = parentPort!;
const { directory } = workerData as { directory: string };

function attempt(id: number, action: () => unknown): void {
  let answer: StoreAnswer;
  try {
    answer = { id, value: action() };
  } catch (error) {
    const code = error instanceof SluiceError ? error.code : null;
    answer = { id, error: { code, message: (error as Error).message } };
  }
  port.postMessage(answer);
}

function serve(database: Database): void {
  port.on('message', ({ id, operation, args }: StoreCall) => {
    attempt(id, () => (database[operation] as (...all: unknown[]) => unknown)(...args));
  });
}

attempt(0, () => {
  serve(openDatabase(directory));
});

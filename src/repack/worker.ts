import { parentPort, workerData } from 'node:worker_threads';
import { SluiceError, toSluiceError } from '../errors.js';
import { freeBytes } from '../models/index.js';
import type { RepackMode } from './assess.js';
import { type EngineSettings, thisMachine } from './machine.js';
import { type RepackOutcome, repack } from './repack.js';
import type { Source } from './repacked-store.js';

export interface WorkerTask {
  source: Source;
  mode: RepackMode;
  engine: EngineSettings;
  directory: string;
}

export type WorkerMessage =
  | { type: 'writing'; detail: string }
  | { type: 'done'; outcome: RepackOutcome }
  | { type: 'failed'; code: ReturnType<typeof toSluiceError>['code']; message: string };

const { source, mode, engine, directory } = workerData as WorkerTask;

const stop = new AbortController();
parentPort!.on('message', () => stop.abort(new SluiceError('cancelled', 'The start was given up.')));
parentPort!.unref(); // listening is no reason to live

function send(message: WorkerMessage): void {
  parentPort!.postMessage(message);
}

try {
  const outcome = await repack(source, mode, {
    machine: () => thisMachine(engine),
    directory,
    freeBytes,
    signal: stop.signal,
    onWriting: (detail) => send({ type: 'writing', detail }),
  });
  send({ type: 'done', outcome });
} catch (error) {
  const { code, message } = toSluiceError(error);
  send({ type: 'failed', code, message });
}

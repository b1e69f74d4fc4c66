import { Worker } from 'node:worker_threads';
import { SluiceError } from '../errors.js';
import type { RepackOutcome } from './repack.js';
import type { WorkerMessage, WorkerTask } from './worker.js';

export type { RepackMode } from './assess.js';
export { thisMachine } from './machine.js';
export { previewRepack, type RepackOutcome } from './repack.js';
export { RepackedStore, repackedDirectory, type Source } from './repacked-store.js';

/**
 * Decides about a model and makes its rewritten copy where that pays, in a thread of its own: measuring blocks for
 * part of a second, rewriting keeps a core busy. An abort stops the rewriting, which removes its draft. Rejects in mode
 * 'on' only.
 */
export function repackModel(
  task: WorkerTask,
  signal: AbortSignal,
  onWriting: (detail: string) => void,
): Promise<RepackOutcome> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: task });
    const stop = () => worker.postMessage('stop');
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
    worker.on('message', (message: WorkerMessage) => {
      if (message.type === 'writing') onWriting(message.detail);
      else if (message.type === 'done') resolve(message.outcome);
      else reject(new SluiceError(message.code, message.message));
    });
    worker.once('error', reject);
    worker.once('exit', () => {
      signal.removeEventListener('abort', stop);
      reject(new SluiceError('internal_error', 'Rewriting the model was cut off.'));
    });
  });
}

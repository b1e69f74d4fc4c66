import { Worker } from 'node:worker_threads';
import { SluiceError } from '../errors.js';
import { type Command, type ReadyInfo, type Report, type ThreadData, unpackEvents } from './protocol.js';
import type { EngineEvent } from './types.js';

export interface ThreadListener {
  onEvents(events: EngineEvent[]): void;
  onReport(report: Report): void;
  /** Once, after the last message. `error` is what the thread died of; null where it ended by itself. */
  onExit(error: Error | null): void;
}

/** One engine thread, from its start to its exit. */
export class ThreadLink {
  /** Resolves when the model is loaded; rejects where it can't be, or where the thread dies before. */
  readonly ready: Promise<ReadyInfo>;
  private readonly worker: Worker;
  private readonly exited: Promise<void>;

  constructor(entry: URL, data: ThreadData, listener: ThreadListener) {
    this.worker = new Worker(entry, { workerData: data });
    let error: Error | null = null;
    this.worker.on('error', (thrown) => {
      error = thrown;
    });
    this.exited = new Promise((resolve) => {
      this.worker.once('exit', () => {
        listener.onExit(error);
        resolve();
      });
    });
    this.ready = new Promise((resolve, reject) => {
      this.worker.on('message', (message: Uint8Array | Report) => {
        if (message instanceof Uint8Array) listener.onEvents(unpackEvents(message));
        else if (message.type === 'ready') resolve(message.info);
        else if (message.type === 'load-failed') reject(new SluiceError('model_not_ready', message.message));
        else listener.onReport(message);
      });
      this.worker.once('exit', () => {
        reject(
          new SluiceError('model_not_ready', 'The engine thread ended while it loaded the model.', {
            cause: error,
          }),
        );
      });
    });
  }

  send(command: Command): void {
    this.worker.postMessage(command);
  }

  /** Lets the thread end what it does; ends it by force where that takes too long. */
  async close(timeoutMs: number): Promise<void> {
    this.send({ type: 'close' });
    const timer = setTimeout(() => void this.worker.terminate(), timeoutMs);
    await this.exited;
    clearTimeout(timer);
  }

  terminate(): Promise<unknown> {
    return this.worker.terminate();
  }
}

import { Worker } from 'node:worker_threads';
import { SluiceError } from '../errors.js';
import type { Command, Report, WorkerTask } from './protocol.js';
import type { EmbeddingModel } from './types.js';

interface Call {
  resolve(value: Int32Array[] | Float32Array[]): void;
  reject(error: SluiceError): void;
}

/** One worker thread with a loaded encoder, from its start to its exit. */
export class WorkerLink {
  readonly model: Omit<EmbeddingModel, 'id'>;
  readonly #worker: Worker;
  readonly #calls = new Map<number, Call>();
  #nextCall = 0;
  #isOver = false;

  private constructor(worker: Worker, model: Omit<EmbeddingModel, 'id'>, onExit: () => void) {
    this.#worker = worker;
    this.model = model;
    worker.on('message', (report: Report) => this.#take(report));
    worker.once('exit', () => {
      this.#isOver = true;
      const error = new SluiceError('engine_failed', 'The embedding thread ended.');
      for (const { reject } of this.#calls.values()) reject(error);
      this.#calls.clear();
      onExit();
    });
  }

  /** Rejects with model_not_ready where the model can't be loaded, or is no encoder. */
  static start(task: WorkerTask, onFault: (error: Error) => void, onExit: () => void): Promise<WorkerLink> {
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: task });
    worker.on('error', onFault);
    return new Promise((resolve, reject) => {
      const failed = (why: string) =>
        reject(new SluiceError('model_not_ready', `The embedding model can't be loaded: ${why}`));
      worker.once('message', (report: Report) => {
        if (report.type === 'ready') resolve(new WorkerLink(worker, report.model, onExit));
        else if (report.type === 'load-failed') failed(report.message);
      });
      worker.once('exit', () => failed('its thread ended.'));
    });
  }

  tokenize(texts: readonly string[], signal: AbortSignal): Promise<Int32Array[]> {
    return this.#call((call) => ({ type: 'tokenize', call, texts }), signal) as Promise<Int32Array[]>;
  }

  embed(texts: readonly Int32Array[], signal: AbortSignal): Promise<Float32Array[]> {
    return this.#call((call) => ({ type: 'embed', call, texts }), signal) as Promise<Float32Array[]>;
  }

  async close(): Promise<void> {
    if (this.#isOver) return;
    const exited = new Promise((resolve) => this.#worker.once('exit', resolve));
    this.#worker.postMessage({ type: 'close' } satisfies Command);
    await exited;
  }

  #call(commandOf: (call: number) => Command, signal: AbortSignal): Promise<Int32Array[] | Float32Array[]> {
    if (signal.aborted) return Promise.reject(cancelled());
    const call = this.#nextCall++;
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#calls.delete(call);
        this.#worker.postMessage({ type: 'cancel', call } satisfies Command);
        reject(cancelled());
      };
      signal.addEventListener('abort', onAbort, { once: true });
      const forget = () => signal.removeEventListener('abort', onAbort);
      this.#calls.set(call, {
        resolve: (value) => {
          forget();
          resolve(value);
        },
        reject: (error) => {
          forget();
          reject(error);
        },
      });
      this.#worker.postMessage(commandOf(call));
    });
  }

  #take(report: Report): void {
    if (!('call' in report)) return;
    const call = this.#calls.get(report.call);
    if (!call) return; // cancelled
    this.#calls.delete(report.call);
    if (report.type === 'tokens') call.resolve(report.texts);
    else if (report.type === 'vectors') call.resolve(rows(report.vectors, this.model.size));
    else call.reject(new SluiceError('engine_failed', `The embedding model failed: ${report.message}`));
  }
}

function rows(vectors: Float32Array, size: number): Float32Array[] {
  return Array.from({ length: vectors.length / size }, (_, row) =>
    vectors.subarray(row * size, (row + 1) * size),
  );
}

function cancelled(): SluiceError {
  return new SluiceError('cancelled', 'The request was given up.');
}

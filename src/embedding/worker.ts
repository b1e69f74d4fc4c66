import { parentPort, workerData } from 'node:worker_threads';
import { cpuOptions } from '../native/cpu-options.js';
import { initBackends, loadAddon } from '../native/index.js';
import type { NativeEmbeddingContext, NativeModel } from '../native/types.js';
import { threadsBesideEngine } from '../support/cpus.js';
import { BatchQueue, type WaitingText } from './batch-queue.js';
import type { Command, Report, WorkerTask } from './protocol.js';

/** Worker entry: loads the encoder, then runs one batch after the other until it is told to close. */

const { modelPath, backend, threads, limits } = workerData as WorkerTask;
const port = parentPort!;
const report = (message: Report, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

interface Call {
  vectors: Float32Array;
  missing: number; // rows
}

class EmbeddingLoop {
  readonly #model: NativeModel;
  readonly #context: NativeEmbeddingContext;
  readonly #queue = new BatchQueue(limits);
  readonly #calls = new Map<number, Call>();
  #isScheduled = false;

  constructor(model: NativeModel, context: NativeEmbeddingContext) {
    this.#model = model;
    this.#context = context;
  }

  take(command: Command): void {
    switch (command.type) {
      case 'tokenize':
        this.#tokenize(command.call, command.texts);
        break;
      case 'embed':
        this.#calls.set(command.call, {
          vectors: new Float32Array(command.texts.length * this.#context.size),
          missing: command.texts.length,
        });
        this.#queue.add(command.call, command.texts);
        this.#schedule();
        break;
      case 'cancel':
        this.#queue.remove(command.call);
        this.#calls.delete(command.call);
        break;
      case 'close':
        this.#context.close();
        this.#model.close();
        port.close(); // the last thing that keeps this thread alive
        this.#queue.clear();
    }
  }

  #tokenize(call: number, texts: readonly string[]): void {
    const tokens = texts.map((text) => this.#model.tokenize(text, true, false));
    report({ type: 'tokens', call, texts: tokens });
  }

  /** Between two batches the event loop turns once, and brings what has arrived. */
  #schedule(): void {
    if (this.#isScheduled || this.#queue.isEmpty) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      const batch = this.#queue.take();
      if (batch.length > 0) this.#run(batch);
      this.#schedule();
    });
  }

  #run(batch: readonly WaitingText[]): void {
    const { size } = this.#context;
    const vectors = new Float32Array(batch.length * size);
    try {
      const startedMs = performance.now();
      this.#context.embed(
        concatenated(batch),
        Int32Array.from(batch, ({ tokens }) => tokens.length),
        vectors,
      );
      this.#queue.took(batch, performance.now() - startedMs);
    } catch (error) {
      for (const call of new Set(batch.map((text) => text.call))) this.#fail(call, error as Error);
      return;
    }
    for (const [row, { call, index }] of batch.entries())
      this.#keep(call, index, vectors.subarray(row * size, (row + 1) * size));
  }

  #keep(id: number, index: number, vector: Float32Array): void {
    const call = this.#calls.get(id);
    if (!call) return; // failed in an earlier batch
    call.vectors.set(vector, index * vector.length);
    call.missing -= 1;
    if (call.missing > 0) return;
    this.#calls.delete(id);
    report({ type: 'vectors', call: id, vectors: call.vectors }, [call.vectors.buffer as ArrayBuffer]);
  }

  #fail(call: number, { message }: Error): void {
    this.#queue.remove(call);
    this.#calls.delete(call);
    report({ type: 'failed', call, message });
  }
}

function concatenated(batch: readonly WaitingText[]): Int32Array {
  const all = new Int32Array(batch.reduce((sum, { tokens }) => sum + tokens.length, 0));
  let at = 0;
  for (const { tokens } of batch) {
    all.set(tokens, at);
    at += tokens.length;
  }
  return all;
}

async function load(): Promise<void> {
  initBackends(backend);
  const addon = loadAddon();
  const model = await addon.load(modelPath, cpuOptions, () => {}).done;
  const context = addon.createEmbeddingContext(model, {
    maxTexts: limits.maxTexts,
    maxBatchTokens: limits.maxTokens,
    threads: threads || threadsBesideEngine(),
  });
  const loop = new EmbeddingLoop(model, context);
  port.on('message', (command: Command) => loop.take(command));
  const { size, maxTextTokens } = context;
  report({ type: 'ready', model: { size, maxTextTokens, vocabSize: model.info.vocabSize } });
}

try {
  await load();
} catch (error) {
  report({ type: 'load-failed', message: (error as Error).message });
  port.close();
}

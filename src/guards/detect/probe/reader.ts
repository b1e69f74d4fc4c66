import { modelBytes } from '../../../models/split.js';
import { cpuOptions } from '../../../native/cpu-options.js';
import { type Backend, initBackends, loadAddon, packsWeights } from '../../../native/index.js';
import type { NativeHiddenStates, NativeModel } from '../../../native/types.js';
import { threadsBesideEngine } from '../../../support/cpus.js';
import { availableMemoryBytes } from '../../../support/memory.js';
import { windowsOf } from '../../detector.js';

export interface StateModel {
  path: string;
  backend: Backend; // that the process has
}

/** A part of a text that is read at once. */
export interface TextPart {
  start: number;
  end: number;
  tokens: Int32Array;
}

/** And what the model knows of it. */
export interface ReadPart extends TextPart {
  /** [tokens × layers × size], without that of the token that begins every text. Valid until the next part is read. */
  states: Float32Array;
}

export interface StateOptions {
  layers: readonly number[]; // after which states are read
  /** Path of a LoRA by which the model reads. */
  adapter?: string;
}

/** No attack is diluted in so much text. */
const PART = { length: 1_600, overlap: 400 }; // characters
const MAX_TOKENS = 640; // of a part; one that has more is read in halves

/** Reads texts with a model's lower layers. One thread at a time, which it blocks. */
export class StateReader {
  readonly #model: NativeModel;
  readonly #context: NativeHiddenStates;
  readonly layers: number;
  readonly #states: Float32Array;

  private constructor(model: NativeModel, context: NativeHiddenStates, layers: number) {
    this.#model = model;
    this.#context = context;
    this.layers = layers;
    this.#states = new Float32Array(MAX_TOKENS * layers * context.size);
  }

  /** Rejects where there is no such model, it has too few layers, or isn't the adapter's. */
  static async load({ path, backend }: StateModel, { layers, adapter }: StateOptions): Promise<StateReader> {
    const packWeights = packsWeights({
      mode: 'auto',
      gpuLayers: 0,
      backend: initBackends(backend),
      modelBytes: modelBytes(path),
      memoryAvailableBytes: availableMemoryBytes(),
    });
    const addon = loadAddon();
    // An engine with the same options, which are its defaults without a GPU, has the same weights in memory.
    const model = await addon.load(path, { ...cpuOptions, packWeights }, () => {}).done;
    const threads = threadsBesideEngine();
    const context = addon.createHiddenStates(model, { layers, adapter, maxTokens: MAX_TOKENS, threads });
    return new StateReader(model, context, layers.length);
  }

  /** Numbers of a state. */
  get size(): number {
    return this.#context.size;
  }

  *read(text: string): Generator<ReadPart> {
    const row = this.layers * this.#context.size;
    for (const part of this.partsOf(text)) {
      this.#context.read(part.tokens, this.#states);
      yield { ...part, states: this.#states.subarray(this.#first * row, part.tokens.length * row) };
    }
  }

  *partsOf(text: string): Generator<TextPart> {
    for (const { start, end } of windowsOf(text.length, PART)) yield* this.#partsOf(text, start, end);
  }

  close(): void {
    this.#context.close();
    this.#model.close();
  }

  /** Tokens before those of the text. */
  get #first(): number {
    return this.#model.info.addBos ? 1 : 0;
  }

  *#partsOf(text: string, start: number, end: number): Generator<TextPart> {
    const tokens = this.#model.tokenize(text.slice(start, end), true, false);
    if (tokens.length > MAX_TOKENS) {
      const middle = Math.floor((start + end) / 2);
      yield* this.#partsOf(text, start, middle);
      yield* this.#partsOf(text, middle, end);
    } else if (tokens.length > this.#first) yield { start, end, tokens };
  }
}

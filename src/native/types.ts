/**
 * The addon's surface, as TypeScript sees it. `native/` implements exactly this; nothing else in the
 * project imports the addon but `src/native/`.
 *
 * Rules that hold for every call: JavaScript validates, C++ validates again; a violation throws
 * `TypeError`/`RangeError`, a failure of the model or the file throws `Error` with a `code` from
 * {@link NativeErrorCode}. No input reaches a llama.cpp assert.
 */

export type NativeErrorCode =
  | 'MODEL_NOT_FOUND' // no such file, or not readable
  | 'MODEL_INVALID' // not GGUF, truncated, corrupt, or an architecture this build doesn't know
  | 'MODEL_LOAD_FAILED' // valid file, but it couldn't be loaded (memory, device)
  | 'LOAD_CANCELLED'
  | 'CONTEXT_FAILED' // the context couldn't be created (memory, unsupported KV type)
  | 'FORWARD_FAILED' // llama_decode failed; the batch's sequences must be dropped
  | 'FORWARD_ABORTED' // abort() was called while forward() ran
  | 'GRAMMAR_INVALID' // grammar or JSON schema rejected, or over its size/depth limit
  | 'TEMPLATE_FAILED' // the chat template doesn't parse or throws
  | 'CLOSED'; // the object was closed

export type KvType = 'f32' | 'f16' | 'bf16' | 'q8_0' | 'q5_1' | 'q5_0' | 'q4_1' | 'q4_0';

export interface Device {
  name: string;
  description: string;
  kind: 'cpu' | 'gpu' | 'igpu' | 'accelerator';
  memoryFreeBytes: number;
  memoryTotalBytes: number;
}

export interface BackendInfo {
  llamaRelease: string; // e.g. "v0.5.0"
  cpuVariant: string; // file name of the chosen CPU backend, e.g. "libggml-cpu-icelake.so"
  weightKernel: string; // of our own, for packed weights; '' where none runs on this CPU
  devices: Device[];
  systemInfo: string;
}

export interface LoadOptions {
  gpuLayers: number; // -1: all
  mainGpu: number;
  tensorSplit: number[]; // empty: by free memory
  mmap: boolean;
  mlock: boolean;
  vocabOnly: boolean;
  /** Store quantised weights a second time, in the order of our own CPU kernels, and multiply with those. */
  packWeights: boolean;
}

export interface PackedWeightsInfo {
  kernel: string; // '' where nothing was packed
  reason: string; // why not
  tensors: number;
  bytes: number;
}

/** Numbers that a token keeps, summed over layers. */
export interface KvCell {
  keys: number;
  values: number;
}

export interface ModelInfo {
  path: string;
  architecture: string; // general.architecture
  name: string; // general.name or ''
  description: string; // llama_model_desc
  sizeBytes: number;
  parameters: number;
  trainContext: number; // tokens
  vocabSize: number;
  embeddingSize: number;
  layers: number;
  heads: number;
  kvHeads: number;
  kvCell: KvCell; // in the layers that see all earlier tokens
  /** Of the layers that see the last `size` tokens only, or those of their chunk of `size`; null: there are none. */
  window: { kind: 'sliding' | 'chunked'; size: number; kvCell: KvCell } | null;
  bosToken: number; // -1: none
  eosToken: number;
  addBos: boolean;
  chatTemplate: string; // '' where the model has none
  recurrent: boolean; // state can't be shared by prefix
  hybrid: boolean;
  packedWeights: PackedWeightsInfo;
  encoderOnly: boolean;
  metadata: Record<string, string>; // GGUF key-values, long arrays omitted
}

/** Piece of token `id` is `bytes.subarray(offsets[id], offsets[id + 1])`. */
export interface VocabTable {
  bytes: Uint8Array;
  offsets: Uint32Array; // [vocabSize + 1]
  flags: Uint8Array; // [vocabSize], bits of VocabFlag
}
export const VocabFlag = { control: 1, endOfGeneration: 2, unused: 4 } as const;

export interface RenderedChat {
  prompt: string;
  grammar: string; // '' where the request needs none
  grammarLazy: boolean; // apply only after a trigger (tool calls)
  grammarTriggers: { type: 'token' | 'word' | 'pattern' | 'pattern_full'; value: string; token: number }[];
  preservedTokens: string[];
  additionalStops: string[];
  /** Opaque, for parseChat: how to read tool calls and reasoning out of the answer. '' where all text is content. */
  syntax: string;
}

export interface NativeModel {
  readonly info: ModelInfo;
  tokenize(text: string, addSpecial: boolean, parseSpecial: boolean): Int32Array;
  detokenize(tokens: Int32Array, special: boolean): Uint8Array;
  vocab(): VocabTable;
  /**
   * Renders an OpenAI-shaped chat request (JSON: messages, tools, tool_choice, response_format's json_schema,
   * add_generation_prompt, parallel_tool_calls, chat_template_kwargs) through the model's own Jinja template.
   */
  renderChat(requestJson: string): RenderedChat;
  /** An assistant message as JSON (role, content, reasoning_content, tool_calls) out of generated text. */
  parseChat(text: string, partial: boolean, syntax: string): string;
  /** Drops this handle's reference; the model is freed with its last reference. Idempotent. */
  close(): void;
}

export interface LoadHandle {
  readonly done: Promise<NativeModel>;
  cancel(): void;
}

export interface ContextOptions {
  pageSize: number; // cells a page, a power of two, 8–256
  pages: number; // pages in the pool
  /** Pages of the layers whose attention has a window, which then have a pool of their own. 0: they lie in the same pages. */
  windowPages: number;
  /** [pages], where there are window pages: the one that belongs to each page; −1 where no window reaches it. */
  windowTable?: Int32Array;
  maxSequences: number; // rows of `blockTables`; ≤ 1,024
  maxPagesPerSequence: number; // columns of `blockTables`
  /**
   * [maxSequences × maxPagesPerSequence] page ids, row-major, written by the engine, read by forward().
   * The cell of position p of sequence s is table[s][floor(p / pageSize)] · pageSize + p mod pageSize.
   */
  blockTables: Int32Array;
  maxBatchTokens: number; // tokens one forward() takes
  maxOutputs: number; // rows of logits one forward() yields
  threads: number;
  kvTypeK: KvType;
  kvTypeV: KvType;
  flashAttention: 'auto' | 'on' | 'off';
  /** 'paged': our CPU kernel where the model allows it; 'stock': llama.cpp's own attention always. */
  attention: 'paged' | 'stock';
  /** [1], over shared memory: while another thread keeps it non-zero, forward() throws FORWARD_ABORTED. */
  abortFlag?: Int32Array;
}

export interface ContextInfo {
  /** 'pages': cells are placed by block tables; 'sequences': llama.cpp places them (recurrent and hybrid models). */
  placement: 'pages' | 'sequences';
  /** The attention that runs, and why the paged kernel doesn't where it doesn't. */
  attention: 'paged' | 'stock';
  attentionReason: string;
  kvBytes: number;
  windowPages: number; // as asked for; 0 where the model has no such layers, or llama.cpp places the cells
  bytesPerPage: number; // its window page included
}

/** One step's tokens. Only the first `count` entries of each array are read. Row order is free. */
export interface Batch {
  count: number;
  tokens: Int32Array;
  positions: Int32Array;
  sequences: Int32Array; // row of blockTables
  outputs: Uint8Array; // 1: logits wanted
}

export interface SamplerParams {
  temperature: number; // 0: greedy
  topK: number; // 0: off
  topP: number; // 1: off
  minP: number; // 0: off
  repeatPenalty: number; // 1: off
  frequencyPenalty: number;
  presencePenalty: number;
  penaltyLastN: number; // tokens looked back at; 0: off, -1: all
  seed: number; // uint32
  logitBias: { token: number; bias: number }[];
  ignoreEos: boolean; // every end-of-generation token is banned
  topLogprobs: number; // -1: no log-probabilities; 0–20: that many alternatives beside the chosen token
  grammar: string; // GBNF; '' for none
  grammarLazy: boolean;
  grammarTriggers: RenderedChat['grammarTriggers'];
}

/** Where sample() writes; allocated once by the caller for its largest call. */
export interface SampleResult {
  tokens: Int32Array; // [rows]; -1: nothing can be chosen (the grammar allows nothing, or no logit is a number)
  logprobs: Float32Array; // [rows], natural log under the unmodified logits (temperature 1); NaN when not asked
  topCounts: Uint8Array; // [rows]
  topTokens: Int32Array; // [rows × 20], best first
  topLogprobs: Float32Array; // [rows × 20]
}

export interface NativeContext {
  readonly info: ContextInfo;
  /**
   * Runs the model over the batch. Blocks the calling thread: call it on an engine thread only.
   * Logits of output i (i-th token with outputs = 1, in batch order) are addressed as output index i until the
   * next forward(). Throws FORWARD_FAILED / FORWARD_ABORTED.
   */
  forward(batch: Batch): void;
  /** Interrupts a running forward() on the CPU. Callable from any thread that holds this object's handle. */
  abort(): void;
  /**
   * Prepares sampling for a sequence. `history` = prompt and generated tokens (for penalties); the last
   * `generated` of them were generated (replayed through the grammar, and the random counter starts there).
   */
  setSampler(sequence: number, params: SamplerParams, history: Int32Array, generated: number): void;
  clearSampler(sequence: number): void;
  /**
   * Samples `count` rows in parallel: output index outputs[i] with the sampler of sequences[i]; accepts the token.
   * tokens[i] is −1 where nothing can be chosen: every token is banned, or none continues the grammar.
   */
  sample(count: number, outputs: Int32Array, sequences: Int32Array, result: SampleResult): void;
  /** Log-probability of tokens[i] under output outputs[i] (for prompt log-probabilities), with alternatives. */
  logprobs(count: number, outputs: Int32Array, tokens: Int32Array, top: number, result: SampleResult): void;
  /** Copy of the raw logits of one output, for tests and tools. */
  logits(output: number): Float32Array;
  /** placement 'sequences' only: forget positions ≥ from of a sequence. False if the model can't. */
  trimSequence(sequence: number, from: number): boolean;
  /**
   * placement 'pages' only: copies a page's keys and values out of the pool, `info.bytesPerPage` bytes. `windowPage`
   * is read where there are window pages.
   */
  readPage(page: number, windowPage: number, bytes: Uint8Array): void;
  /** The way back. The page's cells must be those of the same tokens after the same tokens. */
  writePage(page: number, windowPage: number, bytes: Uint8Array): void;
  /** Graphs computed again without being built again, since the start: llama.cpp reuses one while shapes stay. */
  graphsReused(): number;
  close(): void;
}

export interface EmbeddingOptions {
  maxTexts: number; // of one embed(); ≤ 256
  maxBatchTokens: number; // of all texts of one embed()
  threads: number;
}

/** An encoder, which makes a vector of a text. It keeps nothing between calls. */
export interface NativeEmbeddingContext {
  readonly size: number; // numbers of a vector
  readonly maxTextTokens: number; // what the model was trained for, and a batch holds
  /**
   * One forward over all texts: their tokens one after the other, lengths[i] of text i (at least one). Writes vectors of length
   * 1, [texts × size]. Blocks the calling thread. Throws FORWARD_FAILED.
   */
  embed(tokens: Int32Array, lengths: Int32Array, vectors: Float32Array): void;
  close(): void;
}

export interface HiddenStatesOptions {
  layers: readonly number[]; // after which of the model's layers, counted from 1, ascending; not the last; ≤ 8
  /** Path of a LoRA as GGUF, by which the states change; the model stays as it is for everyone else. */
  adapter?: string | undefined;
  maxTokens: number; // of one read()
  threads: number;
}

/** What a model that generates text knows of each token in its middle. It keeps nothing between calls. */
export interface NativeHiddenStates {
  readonly size: number; // numbers of a token's state after one layer
  /**
   * One forward, which ends after the last layer asked for. Writes [tokens × layers × size], each state scaled to a root mean
   * square of 1. Blocks the calling thread. Throws FORWARD_FAILED.
   */
  read(tokens: Int32Array, states: Float32Array): void;
  close(): void;
}

/** Products of `copies` random matrices [outputs × inputs] and one input of `tokens` columns. */
export interface MatmulCase {
  types: string[]; // of the matrices, ggml's names: 'q8_0'
  inputs: number;
  outputs: number;
  tokens: number; // ≤ 512
  copies: number; // a pass goes through all of them; ≤ 512 MiB together
  threads: number;
  rounds: number;
}

export interface NativeAddon {
  /** Loads the ggml backends found in `directory`. Idempotent; the first call decides. */
  init(options: { directory: string; backend: 'auto' | 'cpu' | 'cuda' | 'vulkan' }): BackendInfo;
  /** Loads a model, or takes another reference to one already loaded with the same path and options. */
  load(path: string, options: LoadOptions, onProgress: (fraction: number) => void): LoadHandle;
  createContext(model: NativeModel, options: ContextOptions): NativeContext;
  /** Throws CONTEXT_FAILED where the model is no encoder, or names no pooling of its tokens' vectors. */
  createEmbeddingContext(model: NativeModel, options: EmbeddingOptions): NativeEmbeddingContext;
  /** Throws CONTEXT_FAILED where the model is an encoder, has too few layers, or isn't the adapter's. */
  createHiddenStates(model: NativeModel, options: HiddenStatesOptions): NativeHiddenStates;
  /** JSON schema to GBNF through libllama-common; bounded in size and depth. */
  jsonSchemaToGrammar(schemaJson: string): string;
  /** Throws GRAMMAR_INVALID with the reason. */
  validateGrammar(grammar: string): void;
  /**
   * Milliseconds of a pass for each type: the least of the rounds, in which the types take turns. CPU time
   * where threads is 1. Blocks.
   */
  timeMatmuls(matmuls: MatmulCase): Float64Array;
  /** Process-wide: models loaded, references, contexts; for leak tests and /admin. */
  counters(): { models: number; modelReferences: number; contexts: number };
}

/** What passes between the gateway (main thread) and an engine thread. */
import type { RenderedChat } from '../native/types.js';
import type { WeightsMode } from '../native/weights.js';

export interface SamplingParams {
  temperature: number; // 0: greedy
  topK: number; // 0: off
  topP: number; // 1: off
  minP: number; // 0: off
  repeatPenalty: number; // 1: off
  frequencyPenalty: number;
  presencePenalty: number;
  seed: number; // uint32; choice i of a request uses seed + i
  logitBias: { token: number; bias: number }[];
  ignoreEos: boolean;
  topLogprobs: number; // -1: none; else alternatives per token, ≤ 20
  grammar: string; // GBNF; '' for none
  grammarLazy: boolean;
  grammarTriggers: RenderedChat['grammarTriggers'];
}

export interface GenerateRequest {
  id: string; // unique while it lives
  tenant: string; // salt of the prefix cache: no hits across tenants
  prompt: Int32Array; // ≥ 1 token
  choices: number; // n
  maxTokens: number; // per choice, ≥ 0 (0: prompt only, for echo with log-probabilities)
  sampling: SamplingParams;
  /** Control tokens whose text belongs to the output: the marks of tool calls and reasoning that parseChat looks for. */
  preservedTokens?: readonly number[];
  stop: string[]; // matched on text, also across token borders; not part of the output
  priority: number; // 0 is served first; default 1
  deadlineMs: number | null; // by the steady clock; past it the request fails with deadline_exceeded
  sessionId: string | null; // its KV stays pinned (LRU over sessions.maxTokens)
  promptLogprobs: number; // -1: none; else alternatives per prompt token
  cachePrompt: boolean; // false: neither reads nor fills the prefix cache
  /** An answer that was begun elsewhere, by choice: it goes on from there, as a preempted one does. */
  resumed?: readonly ResumedChoice[];
}

export interface ResumedChoice {
  tokens: readonly number[]; // generated so far
  ended: boolean; // it has had its `done`
}

export interface TokenLogprob {
  token: number;
  logprob: number; // natural log, of the unmodified distribution
  top: { token: number; logprob: number }[]; // best first
}

export type FinishReason = 'stop' | 'length' | 'cancelled';

/** Events of one request, in order: prompt, then per choice any number of delta, then done; or one error that ends it. */
export type EngineEvent =
  | {
      type: 'prompt'; // its prompt has been computed
      id: string;
      cachedTokens: number; // prompt tokens taken from the prefix cache
      logprobs: (TokenLogprob | null)[] | null; // per prompt token; the first has none
    }
  | {
      type: 'delta';
      id: string;
      index: number; // choice
      text: string; // whole UTF-8 characters only; may be '' while a stop string or character is held back
      tokens: number[]; // tokens sampled since the last delta
      logprobs: TokenLogprob[] | null; // one per token
    }
  | {
      type: 'done';
      id: string;
      index: number;
      finishReason: FinishReason;
      stopSequence: string | null; // the stop string that ended it
      completionTokens: number;
    }
  | {
      type: 'error';
      id: string;
      code:
        | 'deadline_exceeded'
        | 'engine_failed'
        | 'queue_full'
        | 'request_too_large'
        | 'shutting_down'
        | 'invalid_grammar';
      message: string;
      retryAfterSeconds: number | null;
    };

export interface EngineConfig {
  modelPath: string;
  backend: 'auto' | 'cpu' | 'cuda' | 'vulkan';
  gpuLayers: number;
  mainGpu: number;
  tensorSplit: number[];
  mmap: boolean;
  mlock: boolean;
  threads: number; // 0: automatic
  contextLength: number; // tokens a sequence may have; 0: the model's training context, clamped by the pool
  kvTypeK: 'f16' | 'bf16' | 'f32' | 'q8_0';
  kvTypeV: 'f16' | 'bf16' | 'f32' | 'q8_0';
  flashAttention: 'auto' | 'on' | 'off';
  attention: 'paged' | 'stock';
  weights: WeightsMode;
  pageSize: number; // cells
  kvBytes: number; // 0: by rule (memoryUtilization of free GPU memory; on a CPU a stated share of free RAM)
  memoryUtilization: number; // GPU, default 0.9
  maxSequences: number; // ≤ 1024
  guestSequences: number; // beyond them, for tenants that have few
  maxBatchTokens: number; // per step, ≤ 8192; 0: automatic
  targetStepMs: number; // inter-token target; prompt chunks are sized to keep a step under it; 0: throughput mode
  maxQueue: number; // waiting requests
  watermark: number; // share of the pool kept free at admission, default 0.01
  prefixCache: boolean;
  sessionMaxTokens: number; // default 100000
  speculation: 'auto' | 'off'; // guesses from the text itself, where that pays
  speculationMaxTokens: number; // guessed tokens a step for one sequence
  kvWindowShare: number; // window pages for each page of the pool
  kvHostBytes: number; // memory for evicted pages; 0: none
  kvDiskPath: string | null; // folder for pages that the host memory has no room for
  kvDiskBytes: number; // of that folder, for one model
}

/** A snapshot the engine sends a few times a second and after each change of state; counters are totals. */
export interface EngineStats {
  running: number;
  waiting: number;
  pagesTotal: number;
  pagesFree: number;
  pagesCached: number; // only the prefix cache holds them
  pagesLive: number; // held by running sequences
  windowPagesTotal: number; // of layers with an attention window; 0 where they have no pages of their own
  windowPagesFree: number;
  windowPagesIdle: number; // for prefixes that may be asked for again
  windowPagesHeld: number; // in reach of running sequences, sessions and pinned prefixes
  cellsUnused: number; // of those pages, beyond the tokens that the sequences have
  pagesHost: number; // copies in host memory
  pagesSaved: number; // copied there
  pagesRestored: number; // copied back
  pagesFetched: number; // read from disk
  graphsReused: number; // computed without being built again
  steps: number;
  lastStepAtMs: number; // epoch; readiness looks at it
  /** Sums over all steps. */
  scheduleMs: number;
  forwardMs: number;
  sampleMs: number;
  emitMs: number;
  promptTokens: number; // computed
  cachedTokens: number; // taken from the prefix cache
  generatedTokens: number;
  draftedTokens: number; // guessed and computed
  acceptedTokens: number; // of them those that turned out right
  prefixQueries: number;
  prefixHits: number;
  preemptions: number;
  rejections: number;
  sessions: number;
  pinnedPrefixes: number;
}

export interface PinnedPrefix {
  id: string;
  tenant: string;
  tokens: number;
  pages: number;
  createdAtMs: number;
  hits: number;
}

/** Before the first step. */
export const noStats: EngineStats = {
  running: 0,
  waiting: 0,
  pagesTotal: 0,
  pagesFree: 0,
  pagesCached: 0,
  pagesLive: 0,
  windowPagesTotal: 0,
  windowPagesFree: 0,
  windowPagesIdle: 0,
  windowPagesHeld: 0,
  cellsUnused: 0,
  pagesHost: 0,
  pagesSaved: 0,
  pagesRestored: 0,
  pagesFetched: 0,
  graphsReused: 0,
  steps: 0,
  lastStepAtMs: 0,
  scheduleMs: 0,
  forwardMs: 0,
  sampleMs: 0,
  emitMs: 0,
  promptTokens: 0,
  cachedTokens: 0,
  generatedTokens: 0,
  draftedTokens: 0,
  acceptedTokens: 0,
  prefixQueries: 0,
  prefixHits: 0,
  preemptions: 0,
  rejections: 0,
  sessions: 0,
  pinnedPrefixes: 0,
};

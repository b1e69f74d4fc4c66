import type { CacheLevel, GenerationEvent, ValidatedRequest } from '../generation/types.js';
import type { Question as ModelQuestion } from '../routing/ask-model.js';
import type { Plan } from '../routing/plan.js';

/** A whole answer. */
export interface Answer {
  events: readonly GenerationEvent[]; // from `start` to the last `done`; see Recording
  needsVocab: boolean; // its tokens can only be shown with the model's vocabulary
  facts: AnswerFacts;
}

export interface AnswerFacts {
  promptTokens: number;
  completionTokens: number;
  isEstimated: boolean; // those counts
  quality: number | null; // a cascade's estimate
}

/** An answer as the levels keep it. Times are milliseconds since 1970. */
export interface CacheEntry {
  key: string;
  tenant: string;
  model: string; // that answered
  promptHead: string; // the beginning of the prompt or of the first message
  storedAtMs: number;
  expiresAtMs: number;
  bytes: number; // about
  similarity: number | null; // of the question that it was given to; null: the same
  firstKey?: string; // of that question, where it isn't the same
  answer: Answer;
}

/** A request that may be answered from the cache. */
export interface Question {
  key: string;
  promptHead: string;
  model: string; // that is to answer first
  plan: Plan;
  request: ValidatedRequest;
  ask: AskModel;
}

/** What the cache itself wants to know of a model, on the tab of the request that it is about. */
export type AskModel = (
  model: string,
  question: Omit<ModelQuestion, 'id'>,
  signal: AbortSignal,
) => Promise<string>;

/** Which entries to drop: those that fit all that is given. Without any: all. */
export interface PurgeSelector {
  tenant?: string | undefined;
  model?: string | undefined;
  key?: string | undefined; // or its first digits
  promptPrefix?: string | undefined;
}

export interface LevelStats {
  entries: number;
  bytes: number;
}

/**
 * A level below memory, asked in its turn. Rejections and delays cost a hit and nothing else: the caller bounds and
 * forgives both. Entries are never changed.
 */
export interface LowerLevel {
  readonly level: Exclude<CacheLevel, 'l1' | 'flight'>;
  /** Time that a look-up may take, where it isn't that of the others. */
  readonly timeoutMs?: number;
  /** An entry that hasn't expired; its key is the question's, unless it comes with a similarity. */
  find(question: Question): Promise<CacheEntry | null>;
  put(entry: CacheEntry, question: Question): Promise<void>;
  /** Resolves with how many entries were dropped, when nobody finds them any more. */
  purge(selector: PurgeSelector): Promise<number>;
  stats(): Promise<LevelStats>;
  /** Whom to tell of purges that other processes have made. */
  onPurge(listener: (selector: PurgeSelector) => void): void;
  close(): Promise<void>;
}

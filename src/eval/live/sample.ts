import type { CacheLevel, FinishReason, ValidatedRequest } from '../../generation/types.js';
import type { NamedScore } from '../run/types.js';
import type { Question } from '../suite/suite.js';

/** Why a request was taken. */
export type SampleReason =
  | 'share'
  | 'low_confidence'
  | 'cache_hit'
  | 'guard_warning'
  | 'thumbs_down'
  | 'feedback';

/** A live request and its first answer. */
export interface Exchange {
  requestId: string;
  tenant: string;
  keyId: string | null;
  atMs: number; // epoch, of its end
  route: string | null; // null: the client named the model
  variant: string | null;
  model: string;
  question: Question;
  answer: string;
  finishReason: FinishReason;
  maxTokens: number | null;
  stop: string[];
  latencyMs: number;
  nanodollars: number | null;
  quality: number | null; // a cascade's estimate
  cacheLevel: CacheLevel | null;
  guardWarnings: string[]; // of request and answer, "guard/category"
}

/** An exchange as it is remembered, with what was asked as it came: little, since this is done for every request. */
export interface EndedExchange
  extends Omit<Exchange, 'question'>,
    Pick<ValidatedRequest, 'caller' | 'input' | 'constraint'> {}

/** An exchange that was scored; texts redacted. */
export interface LiveSample extends Exchange {
  reasons: SampleReason[];
  scores: NamedScore[];
  score: number | null; // mean of the scores that could be told
}

import type { CacheEntry, LevelStats, PurgeSelector } from '../types.js';
import type { AskedQuestion } from './asked.js';

export interface DoubtfulAnswer {
  entry: CacheEntry;
  text: string; // of the question that it answers
}

/** Answers with the questions that they were given to. Both live and die together. */
export interface SimilarAnswers {
  /** The answer to the nearest question that is near enough and whose words show no difference, with the similarity. */
  find(asked: AskedQuestion, minCosine: number): Promise<CacheEntry | null>;
  /** The answer to the nearest question whose words differ so that the gate can't tell. */
  findDoubtful(asked: AskedQuestion, minCosine: number): Promise<DoubtfulAnswer | null>;
  put(entry: CacheEntry, asked: AskedQuestion): Promise<void>;
  /** Resolves with how many were dropped. */
  purge(selector: PurgeSelector): Promise<number>;
  stats(): Promise<LevelStats>;
  close(): Promise<void>;
}

import type { EvalCase } from '../suite/suite.js';
import type { EvalTarget } from '../target/target.js';

/** What a scorer looks at. */
export interface Scored {
  subject: EvalCase;
  answer: string;
  target: EvalTarget; // that gave it
  judges: readonly EvalTarget[];
  signal: AbortSignal;
}

export interface Score {
  /** 0 to 1, best last; null: it could not be told, and `detail` says why. */
  value: number | null;
  detail: string | null;
}

export type Scorer = (scored: Scored) => Score | Promise<Score>;

export function score(value: number | boolean, detail: string | null = null): Score {
  return { value: Math.min(1, Math.max(0, Number(value))), detail };
}

export function unknownScore(detail: string): Score {
  return { value: null, detail };
}

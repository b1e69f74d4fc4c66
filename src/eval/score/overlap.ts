import { fMeasure, overlap, words } from '../../support/word-overlap.js';
import type { ScorerSpec } from '../suite/schema.js';
import { type Scorer, score } from './scorer.js';

/** F1 over words, as SQuAD counts it; of several right answers the nearest. */
export const f1: Scorer = ({ answer, subject }) =>
  score(best(subject.expected, (text) => wordF1(answer, text)));

export function wordF1(a: string, b: string): number {
  return overlap(words(a), words(b), 1);
}

/** ROUGE-1 and -2 (n-grams) or -L (longest common subsequence), as F-measure (Lin 2004). */
export function rouge({ variant }: Extract<ScorerSpec, { type: 'rouge' }>): Scorer {
  const compare = (a: string[], b: string[]) =>
    variant === 'l' ? fMeasure(commonSubsequence(a, b), a.length, b.length) : overlap(a, b, Number(variant));
  return ({ answer, subject }) =>
    score(best(subject.expected, (text) => compare(words(answer), words(text))));
}

function best(texts: readonly string[], measure: (text: string) => number): number {
  return texts.reduce((most, text) => Math.max(most, measure(text)), 0);
}

/** Length, in O(a · b) time and O(b) memory. */
function commonSubsequence(a: readonly string[], b: readonly string[]): number {
  let row = new Uint32Array(b.length + 1);
  for (const word of a) {
    const next = new Uint32Array(b.length + 1);
    for (const [at, other] of b.entries())
      next[at + 1] = word === other ? row[at]! + 1 : Math.max(row[at + 1]!, next[at]!);
    row = next;
  }
  return row[b.length]!;
}

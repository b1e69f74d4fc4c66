import type { ScorerSpec } from '../suite/schema.js';
import { type Scorer, score } from './scorer.js';
import { normalised } from './text.js';

/** F1 over words, as SQuAD counts it; of several right answers the nearest. */
export const f1: Scorer = ({ answer, subject }) =>
  score(best(subject.expected, (text) => overlap(words(answer), words(text), 1)));

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

function words(text: string): string[] {
  return normalised(text).split(' ').filter(Boolean);
}

function overlap(a: readonly string[], b: readonly string[], size: number): number {
  const left = new Map<string, number>();
  for (const gram of grams(a, size)) left.set(gram, (left.get(gram) ?? 0) + 1);
  let common = 0;
  for (const gram of grams(b, size)) {
    const count = left.get(gram) ?? 0;
    if (count === 0) continue;
    left.set(gram, count - 1);
    common += 1;
  }
  return fMeasure(common, Math.max(0, a.length - size + 1), Math.max(0, b.length - size + 1));
}

function grams(list: readonly string[], size: number): string[] {
  return Array.from({ length: Math.max(0, list.length - size + 1) }, (_, at) =>
    list.slice(at, at + size).join(' '),
  );
}

/** Two texts with nothing in them are the same. */
function fMeasure(common: number, a: number, b: number): number {
  return a + b === 0 ? 1 : (2 * common) / (a + b);
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

import type { Word } from '../words/tokenise.js';

/** [from, to) in words. */
export interface Window {
  from: number;
  to: number;
}

/** A sentence that goes on for longer is read in parts that overlap by half. */
const MAX_SENTENCE = 32;
/** Sentences that are read together: an attack has one, or a few. */
const TOGETHER = [1, 2, 4];
const MAX_WINDOW = 96;
/** Keeps a text of two words from weighing as much as one of ten. */
const SMOOTHING = 16;

/** Each sentence alone, and a few in a row: what a long text hides stands out in one of them, and what it is made of doesn't add up. */
export function windowsOf(words: readonly Word[]): Window[] {
  const sentences = sentencesOf(words);
  return TOGETHER.flatMap((count) => {
    if (count > 1 && count > sentences.length && count / 2 >= sentences.length) return [];
    const windows: Window[] = [];
    for (let first = 0; first === 0 || first + count <= sentences.length; first += 1) {
      const last = sentences[Math.min(first + count, sentences.length) - 1];
      if (last === undefined) break;
      const { from } = sentences[first]!;
      windows.push({ from, to: Math.min(last.to, from + MAX_WINDOW) });
    }
    return windows;
  });
}

function sentencesOf(words: readonly Word[]): Window[] {
  const sentences: Window[] = [];
  let from = 0;
  for (let at = 1; at <= words.length; at += 1) {
    const isEnd = at === words.length || words[at]!.startsSentence;
    if (!isEnd && at - from < MAX_SENTENCE) continue;
    sentences.push({ from, to: at });
    from = isEnd ? at : at - MAX_SENTENCE / 2;
  }
  return sentences;
}

/** What a window's sum of weights is divided by. */
export function normOf({ from, to }: Window): number {
  return Math.sqrt(to - from + SMOOTHING);
}

import type { Words } from '../words/words.js';

/** [from, to) in words. */
export interface Window {
  from: number;
  to: number;
}

/** A sentence that goes on for longer is read in parts that overlap by half. */
const MAX_SENTENCE = 32;
/** Keeps a text of two words from weighing as much as one of ten. */
const SMOOTHING = 8;
const PENALTY = 1.3;
const MAX_COUNTED = 40;

/** Each sentence: what a long text hides stands out in one of them, and what it is made of doesn't add up. */
export function windowsOf(words: Words): Window[] {
  const windows: Window[] = [];
  let from = 0;
  for (let at = 1; at <= words.length; at += 1) {
    const isEnd = at === words.length || words.startsSentence(at);
    if (!isEnd && at - from < MAX_SENTENCE) continue;
    windows.push({ from, to: at });
    from = isEnd ? at : at - MAX_SENTENCE / 2;
  }
  return windows;
}

/** What a text's score is taken off: the worst of many windows is high by chance. Bounded, so that no attack drowns in a long text. */
export function lengthPenalty(windows: readonly Window[]): number {
  return PENALTY * Math.log(Math.min(windows.length, MAX_COUNTED));
}

/** What a window's sum of weights is divided by. */
export function normOf({ from, to }: Window): number {
  return Math.sqrt(to - from + SMOOTHING);
}

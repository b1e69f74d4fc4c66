import { windowsOf } from '../detector.js';

export interface Part {
  text: string;
  start: number;
  end: number;
}

/** What an encoder of 256 tokens takes in whole, and no attack is diluted in. */
const WINDOW = { length: 600, overlap: 200 };
/** Shorter sentences claim nothing. */
const MIN_WORDS = 3;

const segmenter = new Intl.Segmenter('und', { granularity: 'sentence' });

export function windows(text: string): Part[] {
  return [...windowsOf(text.length, WINDOW)]
    .map(({ start, end }) => ({ text: text.slice(start, end), start, end }))
    .filter((part) => part.text.trim() !== '');
}

export function sentences(text: string): Part[] {
  return Array.from(segmenter.segment(text), ({ segment, index }) => ({
    text: segment.trim(),
    start: index,
    end: index + segment.trimEnd().length,
  })).filter((part) => part.text.split(/\s+/).length >= MIN_WORDS);
}

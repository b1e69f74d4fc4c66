import { z } from 'zod';
import type { GuardUse } from '../../config/index.js';
import { type Detector, type DetectorFinding, isWanted } from '../detector.js';

/** Numbers of one digit are too common to say anything. */
const number = /(?<![\p{L}\d])\d[\d.,]*\d(?:\s?%)?/gu;
/** Two or more capitalised words in a row, or one within a sentence. */
const name =
  /(?<=[\p{Ll},;:]\s)\p{Lu}[\p{L}'’-]{2,}(?:\s\p{Lu}[\p{L}'’-]+)*|\p{Lu}[\p{L}'’-]+(?:\s\p{Lu}[\p{L}'’-]+)+/gu;

/**
 * Numbers and names of an answer that stand nowhere in what it was made from: neither in the documents nor in the question.
 * A hint that it is made up, not a proof.
 */
export function groundingDetector(use: GuardUse): Detector {
  z.strictObject({}).parse(use.options);
  return {
    find: (texts, { sources = [] }) => {
      const all = sources.join('\n');
      const numbers = new Set(Array.from(all.matchAll(number), ([each]) => plainNumber(each)));
      const words = new Set(all.toLowerCase().match(/[\p{L}'’-]+/gu) ?? []);
      return texts.map(({ text }) => [
        ...unsupported(text, number, 'unsupported_number', (each) => numbers.has(plainNumber(each)), use),
        ...unsupported(text, name, 'unsupported_name', (each) => isKnown(each, words), use),
      ]);
    },
  };
}

function unsupported(
  text: string,
  pattern: RegExp,
  category: string,
  isSupported: (match: string) => boolean,
  use: GuardUse,
): DetectorFinding[] {
  if (!isWanted(category, use)) return [];
  return Array.from(text.matchAll(pattern)).flatMap(({ 0: match, index: start }) => {
    if (isSupported(match)) return [];
    const end = start + match.length;
    return [{ start, end, category, score: 0.5, isValidated: false, detail: null }];
  });
}

/** 1,000.50 and 1.000,5 are written as they like; their digits are compared. */
function plainNumber(text: string): string {
  return text.replaceAll(/[^\d]/g, '').replace(/^0+(?=\d)/, '');
}

function isKnown(match: string, words: ReadonlySet<string>): boolean {
  return match.split(/\s/).every((word) => words.has(word.toLowerCase().replace(/['’]s$/, '')));
}

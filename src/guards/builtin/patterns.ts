import { RE2JS } from 're2js';
import { z } from 'zod';
import type { Finding, Recogniser } from '../finding.js';

export const patternOptions = z.strictObject({
  patterns: z.record(z.string().min(1), z.string().min(1).max(4096)),
  maxSpan: z.int().min(1).max(4096).default(64), // characters of a match; a stream holds back so many
});

/**
 * Regular expressions of the operator, in RE2's syntax, whose time is linear. A match begins where a word does, and sees nothing
 * before it, so that a text in pieces has the same matches as the whole.
 */
export function patternRecogniser(options: unknown): Recogniser[] {
  const { patterns, maxSpan } = patternOptions.parse(options);
  return Object.entries(patterns).map(([category, source]) => {
    const pattern = RE2JS.compile(source);
    return {
      name: 'patterns',
      categories: [category],
      maxSpan,
      lookAhead: 1,
      find: (text) => matchesOf(pattern, text, category, maxSpan),
      openFrom: (text) => Math.max(0, text.length - maxSpan),
    };
  });
}

/** Scripts without spaces have a word at every character. */
const wordStart =
  /(?<![\p{L}\p{N}])[^\s]|[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/gu;

function matchesOf(pattern: RE2JS, text: string, category: string, maxSpan: number): Finding[] {
  const found: Finding[] = [];
  const matcher = pattern.matcher('');
  for (const { index: start } of text.matchAll(wordStart)) {
    matcher.resetMatcherInput(text.slice(start, start + maxSpan + 1));
    if (!matcher.lookingAt()) continue;
    const length = matcher.end();
    if (length === 0 || length > maxSpan) continue;
    const end = start + length;
    found.push({ start, end, category, score: 1, isValidated: false, detail: 'pattern' });
  }
  return found;
}

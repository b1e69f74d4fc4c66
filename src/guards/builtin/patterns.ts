import { RE2JS } from 're2js';
import { z } from 'zod';
import type { Finding, Recogniser } from '../finding.js';
import { kindBefore, Unit, unitsAt, unitsBefore } from '../normalise/units.js';

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
    const mayHold = looksAround.test(source) ? () => true : (part: string) => pattern.test(part);
    return {
      name: 'patterns',
      categories: [category],
      maxSpan,
      lookAhead: 1,
      find: (text) => matchesOf(pattern, mayHold, text, category, maxSpan),
      openFrom: (text) => Math.max(0, text.length - maxSpan),
    };
  });
}

/** What depends on the text around a match. Where it is in doubt (a sign may be escaped) a pattern counts as one that has it. */
const looksAround = /\$|\\[bBAzZ]|(?<!\[)\^|\(\?<?[=!]/;
const PART_SPANS = 2;

/** `mayHold` tells at once of a part of the text, in less time than at two of its places, that no match begins or ends in it. */
function matchesOf(
  pattern: RE2JS,
  mayHold: (part: string) => boolean,
  text: string,
  category: string,
  maxSpan: number,
): Finding[] {
  const found: Finding[] = [];
  const matcher = pattern.matcher('');
  for (let part = 0; part < text.length; part += PART_SPANS * maxSpan) {
    const partEnd = Math.min(text.length, part + PART_SPANS * maxSpan);
    if (!mayHold(text.slice(part, partEnd + maxSpan))) continue;
    const isWithinPair = unitsBefore(text, part + 1) === 2;
    for (let start = isWithinPair ? part + 1 : part; start < partEnd; start += unitsAt(text, start)) {
      if (!isWordStart(text, start)) continue;
      matcher.resetMatcherInput(text.slice(start, start + maxSpan + 1));
      if (!matcher.lookingAt()) continue;
      const length = matcher.end();
      if (length === 0 || length > maxSpan) continue;
      const end = start + length;
      found.push({ start, end, category, score: 1, isValidated: false, detail: 'pattern' });
    }
  }
  return found;
}

const ASCII = 0x80;
const space = /\s/;
const asciiSpaces = Uint8Array.from({ length: ASCII }, (_, unit) =>
  Number(space.test(String.fromCharCode(unit))),
);
const withoutSpaces =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/u;

/** Scripts without spaces have a word at every character. */
function isWordStart(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  const isWithin = kindBefore(text, at) & (Unit.letter | Unit.number);
  if (!isWithin) return unit < ASCII ? asciiSpaces[unit] === 0 : !space.test(text[at]!);
  return unit >= ASCII && withoutSpaces.test(text.slice(at, at + 2));
}

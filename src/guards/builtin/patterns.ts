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
    const pattern = { compiled: RE2JS.compile(source), looksAround: lookingAround.test(source) };
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

interface Pattern {
  compiled: RE2JS;
  /** Whether a match depends on what stands around it: what is true of a part of a text is then not true of each place in it. */
  looksAround: boolean;
}

/** In doubt (a sign may be escaped) a pattern counts as one that does. */
const lookingAround = /\$|\\[bBAzZ]|(?<!\[)\^|\(\?<?[=!]/;

const PART_SPANS = 2;

/** Part by part: one without a match is passed over in less time than two of its places would take. */
function matchesOf(pattern: Pattern, text: string, category: string, maxSpan: number): Finding[] {
  const found: Finding[] = [];
  for (let part = 0; part < text.length; part += PART_SPANS * maxSpan) {
    const end = Math.min(text.length, part + PART_SPANS * maxSpan);
    if (!pattern.looksAround && !pattern.compiled.test(text.slice(part, end + maxSpan))) continue;
    const isWithinPair = unitsBefore(text, part + 1) === 2;
    addMatches(found, pattern.compiled, text, isWithinPair ? part + 1 : part, end, category, maxSpan);
  }
  return found;
}

/** Those that begin in [from, to). */
function addMatches(
  found: Finding[],
  pattern: RE2JS,
  text: string,
  from: number,
  to: number,
  category: string,
  maxSpan: number,
): void {
  const matcher = pattern.matcher('');
  for (let start = from; start < to; start += unitsAt(text, start)) {
    if (!isWordStart(text, start)) continue;
    matcher.resetMatcherInput(text.slice(start, start + maxSpan + 1));
    if (!matcher.lookingAt()) continue;
    const length = matcher.end();
    if (length === 0 || length > maxSpan) continue;
    const end = start + length;
    found.push({ start, end, category, score: 1, isValidated: false, detail: 'pattern' });
  }
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

import { type CountryCode, parsePhoneNumberFromString } from 'libphonenumber-js/min';
import type { Recogniser } from '../../finding.js';
import { distanceTo } from '../context.js';
import { isAnyOf, isDigit, openRun } from '../open-run.js';
import { type Accepted, patternRecogniser } from './pattern.js';

export const defaultPhoneRegions: readonly CountryCode[] = [
  'US',
  'GB',
  'DE',
  'FR',
  'ES',
  'IT',
  'NL',
  'BR',
  'IN',
  'AU',
];

/** The library takes some 20 µs; beyond so many questions a text, a candidate with a context word or a plus counts as a number. */
const MAX_LOOKUPS = 150;
const MAX_SPAN = 26;
const MAX_PARENTHESES = 4;
const isPart = isAnyOf('+().-/ \u00a0');
const toPhoneWord = distanceTo(
  'phone|tel|call|mobile|cell|fax|whatsapp|sms|text me|text him|text her|dial|ring|reach|contact|hotline|number is|telefon|handy|anrufen|teléfono|telefono|téléphone|móvil|celular|telefoon|ligue|llama|appelez|chiama|телефон|电话|電話|signal|voicemail|extension|ext',
);
const toOtherWord = distanceTo(
  'order|tracking|invoice|ticket|isbn|serial|reference|ref|version|timestamp|epoch|build|sku|commit|account|imei|ssn|card|date|port|id|steuer|part no|case|part number|model',
);

/** `regions`: whose national numbers are known, the first one also without any word that says so. */
export function phoneRecogniser(regions: readonly CountryCode[] = defaultPhoneRegions): Recogniser {
  let lookups = 0;
  const isNumber = (text: string, region: CountryCode | undefined): boolean => {
    lookups += 1;
    if (lookups > MAX_LOOKUPS) return true;
    return parsePhoneNumberFromString(text, region)?.isValid() ?? false;
  };
  const recogniser = patternRecogniser({
    name: 'phone',
    categories: ['phone'],
    pattern: /(?<![\w.+/=$€£#-]|\d[,:])(?:\+|\(\+?|00)?\d[\d().\-/ \u00a0]{5,22}\d(?![\w]|[.,:]\d)/g,
    maxSpan: MAX_SPAN,
    lookAhead: 2,
    openFrom: (text, reach) =>
      openRun(
        text,
        (code) => isDigit(code) || isPart(code) || code === 44 || code === 58,
        (code) => isDigit(code) || code === 43 || code === 40,
        reach,
      ),
    accept(match, text, start): Accepted | null {
      if (match.split('(').length > MAX_PARENTHESES) return null;
      if (
        isRestOfNumber(text, start) &&
        !isInternational(match) &&
        toPhoneWord(text, start) === Number.POSITIVE_INFINITY
      )
        return null;
      const near = wordsNear(text, start);
      for (const candidate of shortened(match)) {
        const score = judge(candidate, text, start, near, regions, isNumber);
        if (score !== null) return { score, isValidated: false, length: candidate.length };
      }
      return null;
    },
  });
  return {
    ...recogniser,
    find(text) {
      lookups = 0;
      return recogniser.find(text);
    },
  };
}

/** How far the nearest words of either kind are; looked for once, and only where somebody asks. */
function wordsNear(text: string, start: number): () => { phoneWord: number; otherWord: number } {
  let known: { phoneWord: number; otherWord: number } | null = null;
  return () => {
    known ??= { phoneWord: toPhoneWord(text, start), otherWord: toOtherWord(text, start) };
    return known;
  };
}

function judge(
  candidate: string,
  text: string,
  start: number,
  near: () => { phoneWord: number; otherWord: number },
  regions: readonly CountryCode[],
  isNumber: (text: string, region?: CountryCode) => boolean,
): number | null {
  const digits = digitsIn(candidate);
  if (digits < 7 || digits > 15 || isSomethingElse(candidate)) return null;
  if (isInternational(candidate)) return isNumber(candidate.replace(/^00/, '+'), undefined) ? 0.95 : null;
  const { phoneWord, otherWord } = near();
  if (otherWord < phoneWord) return null;
  const hasContext = phoneWord < otherWord;
  if (hasContext) return regions.some((region) => isNumber(candidate, region)) ? 0.9 : null;
  if (!/\D/.test(candidate)) return null; // bare digits are anything
  if (isRestOfNumber(text, start)) return null;
  const groups = candidate.split(/\D+/).filter(Boolean);
  if (/[/]/.test(candidate) || groups.length < 2 || new Set(candidate.match(/[.\- ]/g)).size > 2) return null;
  if (digits >= 10 && isNumber(candidate, regions[0])) return 0.75;
  const isNational = candidate.startsWith('0') && digits >= 9 && groups.length >= 3;
  return isNational && regions.slice(1).some((region) => isNumber(candidate, region)) ? 0.6 : null;
}

function isInternational(candidate: string): boolean {
  return /^\(?\+|^00[1-9]/.test(candidate);
}

/** Whether digits go before. */
function isRestOfNumber(text: string, start: number): boolean {
  const separator = text[start - 1];
  return (separator === ' ' || separator === '-') && isDigit(text.charCodeAt(start - 2));
}

function digitsIn(candidate: string): number {
  let digits = 0;
  for (let at = 0; at < candidate.length; at += 1) if (isDigit(candidate.charCodeAt(at))) digits += 1;
  return digits;
}

/** Dates, quads, and cards in groups of four. */
function isSomethingElse(candidate: string): boolean {
  return (
    /^(?:19|20)\d\d[-/. ]\d{1,2}[-/. ]\d{1,2}(?:\D|$)/.test(candidate) ||
    /^\d{1,2}[-/. ]\d{1,2}[-/. ](?:19|20)\d\d(?:\D|$)/.test(candidate) ||
    /^\d{1,3}(?:\.\d{1,3}){3}$/.test(candidate) ||
    /^\d{4}([ -])\d{4}\1\d{4}/.test(candidate) ||
    /^(?:\d{1,3}[. \u00a0])(?:\d{3}[. \u00a0])*\d{3}$/.test(candidate) || // a large number
    /^\d{3}-\d{2}-\d{4}$/.test(candidate) ||
    isOneDigit(candidate)
  );
}

/** The same one all over. */
function isOneDigit(candidate: string): boolean {
  let digit = -1;
  for (let at = 0; at < candidate.length; at += 1) {
    const code = candidate.charCodeAt(at);
    if (!isDigit(code)) continue;
    if (digit !== -1 && code !== digit) return false;
    digit = code;
  }
  return true;
}

/** The match, then without its last groups: a number may follow the number. */
function* shortened(match: string): Generator<string> {
  let candidate = balanced(match);
  for (let round = 0; round < 3; round += 1) {
    yield candidate;
    const shorter = balanced(candidate.replace(/[^\d]+\d+$/, ''));
    if (shorter.length === candidate.length) return;
    candidate = shorter;
  }
}

function balanced(candidate: string): string {
  return candidate.replace(/[^\d)]+$/, '');
}

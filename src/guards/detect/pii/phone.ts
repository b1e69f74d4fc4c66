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
const MIN_DIGITS = 7;
const MAX_DIGITS = 15;
const ROUNDS = 3; // a number may follow the number
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
  const known = new Map<string, boolean>(); // of one text, which may repeat a number
  const isNumber = (text: string, region: CountryCode | undefined): boolean => {
    lookups += 1;
    if (lookups > MAX_LOOKUPS) return true;
    const question = `${region} ${text}`;
    const isValid = known.get(question) ?? parsePhoneNumberFromString(text, region)?.isValid() ?? false;
    known.set(question, isValid);
    return isValid;
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
      if (isRestOfNumber(text, start) && !isInternational(match) && !isAnnounced(text, start)) return null;
      let candidate = match;
      let form = formOf(text, start, match.length);
      if (form.openings >= MAX_PARENTHESES) return null;
      // What is shorter has fewer digits.
      for (let round = 0; round < ROUNDS && form.digits >= MIN_DIGITS; round += 1) {
        const score = judge(candidate, form, text, start, regions, isNumber);
        if (score !== null) return { score, isValidated: false, length: candidate.length };
        const shorter = withoutLastGroup(candidate);
        if (shorter === candidate) return null;
        candidate = shorter;
        form = formOf(text, start, candidate.length);
      }
      return null;
    },
  });
  return {
    ...recogniser,
    find(text) {
      const found = recogniser.find(text);
      lookups = 0;
      known.clear();
      return found;
    },
  };
}

function isAnnounced(text: string, start: number): boolean {
  return toPhoneWord(text, start) < Number.POSITIVE_INFINITY;
}

function judge(
  candidate: string,
  form: Form,
  text: string,
  start: number,
  regions: readonly CountryCode[],
  isNumber: (text: string, region?: CountryCode) => boolean,
): number | null {
  const { digits, groups } = form;
  if (digits > MAX_DIGITS || form.isOneDigit) return null;
  if (isInternational(candidate)) {
    if (isSomethingElse(candidate)) return null;
    return isNumber(candidate.replace(/^00/, '+'), undefined) ? 0.95 : null;
  }
  const phoneWord = toPhoneWord(text, start);
  const isNational = candidate.startsWith('0') && digits >= 9 && groups >= 3;
  // Bare digits are anything.
  const speaksForItself =
    groups >= 2 && !form.hasSlash && form.separators <= 2 && (digits >= 10 || isNational);
  if (phoneWord === Number.POSITIVE_INFINITY && !speaksForItself) return null;
  const otherWord = toOtherWord(text, start);
  if (otherWord < phoneWord) return null;
  if (phoneWord < otherWord) {
    if (isSomethingElse(candidate)) return null;
    return regions.some((region) => isNumber(candidate, region)) ? 0.9 : null;
  }
  if (!speaksForItself || isRestOfNumber(text, start) || isSomethingElse(candidate)) return null;
  if (digits >= 10 && isNumber(candidate, regions[0])) return 0.75;
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

/** What a candidate is made of. */
interface Form {
  digits: number;
  groups: number; // of digits
  isOneDigit: boolean; // the same all over
  openings: number; // parentheses
  separators: number; // kinds of them: full stop, hyphen, space
  hasSlash: boolean;
}

const OPENING = 0x28;
const SLASH = 0x2f;
const FULL_STOP = 0x2e;
const HYPHEN = 0x2d;
const SPACE = 0x20;

function formOf(text: string, start: number, length: number): Form {
  let digits = 0;
  let groups = 0;
  let first = 0;
  let isOneDigit = true;
  let isInGroup = false;
  let hasSlash = false;
  let openings = 0;
  let fullStops = 0;
  let hyphens = 0;
  let spaces = 0;
  for (let at = start; at < start + length; at += 1) {
    const code = text.charCodeAt(at);
    if (isDigit(code)) {
      if (digits === 0) first = code;
      else if (code !== first) isOneDigit = false;
      if (!isInGroup) groups += 1;
      isInGroup = true;
      digits += 1;
      continue;
    }
    isInGroup = false;
    if (code === OPENING) openings += 1;
    else if (code === SLASH) hasSlash = true;
    else if (code === FULL_STOP) fullStops = 1;
    else if (code === HYPHEN) hyphens = 1;
    else if (code === SPACE) spaces = 1;
  }
  return { digits, groups, isOneDigit, openings, separators: fullStops + hyphens + spaces, hasSlash };
}

/** Dates, quads, and cards in groups of four. */
function isSomethingElse(candidate: string): boolean {
  return (
    /^(?:19|20)\d\d[-/. ]\d{1,2}[-/. ]\d{1,2}(?:\D|$)/.test(candidate) ||
    /^\d{1,2}[-/. ]\d{1,2}[-/. ](?:19|20)\d\d(?:\D|$)/.test(candidate) ||
    /^\d{1,3}(?:\.\d{1,3}){3}$/.test(candidate) ||
    /^\d{4}([ -])\d{4}\1\d{4}/.test(candidate) ||
    /^(?:\d{1,3}[. \u00a0])(?:\d{3}[. \u00a0])*\d{3}$/.test(candidate) || // a large number
    /^\d{3}-\d{2}-\d{4}$/.test(candidate)
  );
}

function withoutLastGroup(candidate: string): string {
  let end = candidate.length;
  while (isDigit(candidate.charCodeAt(end - 1))) end -= 1;
  if (end === 0 || end === candidate.length) return candidate;
  while (end > 0 && !isDigit(candidate.charCodeAt(end - 1))) end -= 1;
  return candidate.slice(0, end);
}

import { distanceTo } from '../context.js';
import { openBegun } from '../open-run.js';
import { isDate } from './checksums.js';
import { patternRecogniser } from './pattern.js';

const months =
  'january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec|januar|februar|märz|mai|juni|juli|oktober|dezember|janvier|février|mars|avril|juin|juillet|août|septembre|octobre|novembre|décembre|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre|gennaio|febbraio|aprile|maggio|giugno|luglio|settembre|ottobre|dicembre|janeiro|fevereiro|março|maio|junho|julho|setembro|outubro|dezembro';
const begin = /(?<![\p{L}\p{N}])[\p{L}\p{N}]/gu;
const begun = /^[\p{L}\p{N}]{1,10}(?:(?:[-/.º]|[., ]{1,2})[\p{L}\p{N}]{1,10}){0,4}[-/., º]{0,2}$/u;
const birthWords =
  'born|dob|d.o.b|date of birth|birth date|birthdate|birthday|geboren|geb.|geburtsdatum|geburtstag|né le|née le|date de naissance|nacido|nacida|nací|fecha de nacimiento|nato il|nata il|data di nascita|nascido|nascida|data de nascimento|geboortedatum|дата рождения|родился|родилась|出生日期|生年月日';
const toBirthWord = distanceTo(birthWords);
/** Every birth word, and more. */
const likeBirthWord = new RegExp(birthWords, 'iu');

/** A full date after a word that says it is somebody's birth; other dates are nobody's. */
export const dateOfBirth = patternRecogniser({
  name: 'date-of-birth',
  categories: ['date_of_birth'],
  pattern: new RegExp(
    `(?<![\\p{L}\\p{N}/.-])(?:\\d{1,2}([-/.])\\d{1,2}\\1(?:\\d{4}|\\d{2})|\\d{4}([-/.])\\d{1,2}\\2\\d{1,2}|\\d{1,2}(?:st|nd|rd|th|\\.|er|º)?(?: de| of)? (?:${months})\\.?(?: de|,)? \\d{4}|(?:${months})\\.? \\d{1,2}(?:st|nd|rd|th)?,? \\d{4}|\\d{4}年\\d{1,2}月\\d{1,2}日)(?![\\p{L}\\p{N}]|[-/.]\\d)`,
    'giu',
  ),
  around: likeBirthWord,
  core: /\d[-/.]\d|\d{4}/, // a day and a month, or a year
  coreReach: 32,
  maxSpan: 36,
  lookAhead: 2,
  openFrom: (text, reach) =>
    openBegun(
      text,
      begin,
      (candidate, at) => begun.test(candidate) && toBirthWord(text, at) < Number.POSITIVE_INFINITY,
      reach,
    ),
  accept(match, text, start) {
    return isBirth(text, start) && isPossible(match) ? { score: 0.9, isValidated: false } : null;
  },
});

/** The word is the date's own: no other date stands between. */
function isBirth(text: string, start: number): boolean {
  const distance = toBirthWord(text, start);
  return distance < Number.POSITIVE_INFINITY && !/\d{4}/.test(text.slice(start - distance, start));
}

function isPossible(match: string): boolean {
  const [a, b, c] = (match.match(/\d+/g) ?? []).map(Number);
  if (c === undefined) {
    const year = Math.max(a!, b!);
    return year > 1900 && year < 2100 && Math.min(a!, b!) >= 1 && Math.min(a!, b!) <= 31;
  }
  if (a! > 31) return isDate(a!, b!, c);
  return isDate(c, b!, a!) || isDate(c, a!, b!);
}

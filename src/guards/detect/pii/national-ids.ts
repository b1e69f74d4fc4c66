import type { Finding, Recogniser } from '../../finding.js';
import { kindBefore, Unit, unitKind } from '../../normalise/units.js';
import { distancesTo, isNearLetters } from '../context.js';
import { isAlphanumeric, isDigit, isLetter, openBegun } from '../open-run.js';
import { type NationalIdRule, nationalIdRules } from './national-id-rules.js';

const MAX_SPAN = 24;
const begin = /(?<![A-Za-z0-9])[A-Za-z0-9]/g;
/** Letters stand alone among the digits of all shapes, except at the beginning. */
const more = '(?:[ .+-]?(?:\\d|(?<![A-Za-z])[A-Za-z])){0,22}[ .+-]?';
const begun = new RegExp(`^(?:\\d${more}|[A-Za-z]{1,6}|[A-Za-z]{1,2}[ -]|[A-Za-z]{1,6}[ -]?\\d${more})$`);

interface Prepared {
  rule: NationalIdRule;
  shape: RegExp;
}

interface RuleSet {
  prepared: readonly Prepared[];
  /** Matches wherever one of the shapes does: where these ask for the same sign again, any will do, and only ASCII ends no word. */
  anyShape: RegExp;
}

function ruleSet(rules: readonly NationalIdRule[]): RuleSet {
  return {
    prepared: rules.map((rule) => ({
      rule,
      shape: new RegExp(
        `(?:${rule.shape.source})(?![\\p{L}\\p{N}_]|[-.]\\d)`,
        `yu${rule.shape.ignoreCase ? 'i' : ''}`,
      ),
    })),
    anyShape: new RegExp(
      `(?:${rules.map(({ shape }) => shape.source.replaceAll('\\1', '[- ]?')).join('|')})(?!\\w|[-.]\\d)`,
      'yi',
    ),
  };
}

const allRules = ruleSet(nationalIdRules);
const rulesWithoutWords = ruleSet(nationalIdRules.filter(({ standsAlone }) => standsAlone !== false));
/** By rule, how far before an id its words stand. */
const toWords = distancesTo(nationalIdRules.map(({ words }) => words));

/** Numbers that states give to people, found by shape, checksum and, where these are weak, by the words before. */
export const nationalIds: Recogniser = {
  name: 'national-ids',
  categories: nationalIdRules.map(({ category }) => category),
  maxSpan: MAX_SPAN,
  lookAhead: 2,
  find(text) {
    const findings: Finding[] = [];
    let done = 0;
    for (const at of startsIn(text)) {
      const finding = at >= done && beginsId(text, at) ? bestAt(text, at) : null;
      if (finding === null) continue;
      findings.push(finding);
      done = finding.end;
    }
    return findings;
  },
  openFrom: (text) => openBegun(text, begin, (candidate) => begun.test(candidate), MAX_SPAN + 2),
};

/** What the shapes have in common: six digits, perhaps apart, or a few letters and two digits. */
const outline = /\d(?:[ .-]?\d){5}|[A-Za-z]{1,6}[ -]?\d ?\d/y;

const digit = /\d/g;
const MAX_LETTERS = 6; // before the digits

/** Where ids may begin: with a row of digits, or with letters before one. */
function* startsIn(text: string): Generator<number> {
  digit.lastIndex = 0;
  while (digit.test(text)) {
    const at = digit.lastIndex - 1;
    const isApart = text[at - 1] === ' ' || text[at - 1] === '-';
    const lettersEnd = isApart ? at - 1 : at;
    let start = lettersEnd;
    while (lettersEnd - start < MAX_LETTERS && isLetter(text.charCodeAt(start - 1))) start -= 1;
    if (start < lettersEnd) yield start;
    yield at;
    let end = at + 1;
    while (isDigit(text.charCodeAt(end))) end += 1;
    digit.lastIndex = end;
  }
}

/** Where a word begins that looks enough like an id to try the shapes. */
function beginsId(text: string, at: number): boolean {
  if (!isAlphanumeric(text.charCodeAt(at))) return false;
  if (at > 0 && isAlphanumeric(text.charCodeAt(at - 1))) return false;
  outline.lastIndex = at;
  return outline.test(text) && isFree(text, at);
}

/** Whether no word goes on there, not even over a full stop or hyphen. */
function isFree(text: string, at: number): boolean {
  if (at === 0) return true;
  if (text[at - 1] !== '.' && text[at - 1] !== '-') return !isOfWord(text[at - 1]!, kindBefore(text, at));
  return at > 1 && !isOfWord(text[at - 2]!, unitKind(text.charCodeAt(at - 2)));
}

function isOfWord(character: string, kind: number): boolean {
  return character === '_' || (kind & (Unit.letter | Unit.number)) !== 0;
}

function hasShape({ anyShape }: RuleSet, text: string, start: number): boolean {
  anyShape.lastIndex = start;
  return anyShape.test(text);
}

function bestAt(text: string, start: number): Finding | null {
  // Shapes first: to look for words takes longer.
  const mayBeNamed = isNearLetters(text, start);
  if (!hasShape(mayBeNamed ? allRules : rulesWithoutWords, text, start)) return null;
  const distances = mayBeNamed ? toWords(text, start) : null;
  const isAnyNamed = distances?.some((distance) => distance < Number.POSITIVE_INFINITY) ?? false;
  if (mayBeNamed && !isAnyNamed && !hasShape(rulesWithoutWords, text, start)) return null;
  const { prepared } = isAnyNamed ? allRules : rulesWithoutWords;
  let best: Finding | null = null;
  for (let index = 0; index < prepared.length; index += 1) {
    const { rule, shape } = prepared[index]!;
    const named = isAnyNamed && distances![index]! < Number.POSITIVE_INFINITY;
    if (!named && rule.standsAlone === false) continue;
    shape.lastIndex = start;
    const written = shape.exec(text)?.[0];
    if (written === undefined) continue;
    if (!rule.check(written.replace(/[^A-Za-z0-9]/g, '').toUpperCase(), written)) continue;
    const isGrouped = /[^A-Za-z0-9]/.test(written);
    if (!named && !(rule.standsAlone === true || (rule.standsAlone === 'grouped' && isGrouped))) continue;
    const score = named ? 0.97 : 0.85;
    if (best !== null && best.score >= score) continue;
    best = {
      start,
      end: start + written.length,
      category: rule.category,
      score,
      isValidated: true,
      detail: rule.category,
    };
  }
  return best;
}

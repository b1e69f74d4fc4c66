import type { Finding, Recogniser } from '../../finding.js';
import { kindBefore, Unit, unitKind } from '../../normalise/units.js';
import { distancesTo, isNearLetters } from '../context.js';
import { isAlphanumeric, isDigit, isLetter, openBegun } from '../open-run.js';
import { type NationalIdRule, nationalIdRules } from './national-id-rules.js';

const MAX_SPAN = 24;
const LOOK_AHEAD = 2;
const MAX_KNOWN = 4_096;
const begin = /(?<![A-Za-z0-9])[A-Za-z0-9]/g;
/** Letters stand alone among the digits of all shapes, except at the beginning. */
const more = '(?:[ .+-]?(?:\\d|(?<![A-Za-z])[A-Za-z])){0,22}[ .+-]?';
const begun = new RegExp(`^(?:\\d${more}|[A-Za-z]{1,6}|[A-Za-z]{1,2}[ -]|[A-Za-z]{1,6}[ -]?\\d${more})$`);

interface Prepared {
  rule: NationalIdRule;
  index: number; // among all rules
  shape: RegExp;
}

/** A text that has a rule's shape and passes its check. */
interface Match {
  rule: NationalIdRule;
  index: number;
  length: number;
  isGrouped: boolean; // has separators
}

/** Rules that are tried on the same candidates. */
class RuleSet {
  readonly #prepared: readonly Prepared[];
  /** Matches wherever one of the shapes does: where these ask for the same sign again, any will do, and only ASCII ends no word. */
  readonly #anyShape: RegExp;
  /** Of one text, which may repeat itself. */
  readonly #known = new Map<string, readonly Match[]>();

  constructor(isMeant: (rule: NationalIdRule) => boolean) {
    this.#prepared = nationalIdRules
      .map((rule, index) => ({ rule, index, shape: alone(rule.shape) }))
      .filter(({ rule }) => isMeant(rule));
    const shapes = this.#prepared.map(({ rule }) => rule.shape.source.replaceAll('\\1', '[- ]?'));
    this.#anyShape = new RegExp(`^(?:${shapes.join('|')})(?!\\w|[-.]\\d)`, 'i');
  }

  /** What an id that begins there may be. */
  matchesAt(text: string, start: number): readonly Match[] {
    const candidate = text.slice(start, start + MAX_SPAN + LOOK_AHEAD);
    const known = this.#known.get(candidate);
    if (known !== undefined) return known;
    const matches = this.#anyShape.test(candidate) ? this.#matchesOf(candidate) : NONE;
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(candidate, matches);
    return matches;
  }

  forget(): void {
    this.#known.clear();
  }

  #matchesOf(candidate: string): readonly Match[] {
    const matches: Match[] = [];
    for (const { rule, index, shape } of this.#prepared) {
      const written = shape.exec(candidate)?.[0];
      if (written === undefined) continue;
      if (!rule.check(written.replace(/[^A-Za-z0-9]/g, '').toUpperCase(), written)) continue;
      matches.push({ rule, index, length: written.length, isGrouped: /[^A-Za-z0-9]/.test(written) });
    }
    return matches;
  }
}

const NONE: readonly Match[] = [];

function alone({ source, ignoreCase }: RegExp): RegExp {
  return new RegExp(`^(?:${source})(?![\\p{L}\\p{N}_]|[-.]\\d)`, `u${ignoreCase ? 'i' : ''}`);
}

const allRules = new RuleSet(() => true);
const rulesWithoutWords = new RuleSet(({ standsAlone }) => standsAlone !== false);
/** By rule, how far before an id its words stand. */
const toWords = distancesTo(nationalIdRules.map(({ words }) => words));

/** Numbers that states give to people, found by shape, checksum and, where these are weak, by the words before. */
export const nationalIds: Recogniser = {
  name: 'national-ids',
  categories: nationalIdRules.map(({ category }) => category),
  maxSpan: MAX_SPAN,
  lookAhead: LOOK_AHEAD,
  find(text) {
    const findings: Finding[] = [];
    let done = 0;
    for (const at of startsIn(text)) {
      const finding = at >= done && beginsId(text, at) ? bestAt(text, at) : null;
      if (finding === null) continue;
      findings.push(finding);
      done = finding.end;
    }
    allRules.forget();
    rulesWithoutWords.forget();
    return findings;
  },
  openFrom: (text) => openBegun(text, begin, (candidate) => begun.test(candidate), MAX_SPAN + LOOK_AHEAD),
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

function bestAt(text: string, start: number): Finding | null {
  const mayBeNamed = isNearLetters(text, start);
  // Shapes first: to look for words takes longer.
  const matches = (mayBeNamed ? allRules : rulesWithoutWords).matchesAt(text, start);
  if (matches.length === 0) return null;
  const distances = mayBeNamed ? toWords(text, start) : null;
  let best: Finding | null = null;
  for (const { rule, index, length, isGrouped } of matches) {
    const isNamed = distances !== null && distances[index]! < Number.POSITIVE_INFINITY;
    if (!isNamed && !(rule.standsAlone === true || (rule.standsAlone === 'grouped' && isGrouped))) continue;
    const score = isNamed ? 0.97 : 0.85;
    if (best !== null && best.score >= score) continue;
    const { category } = rule;
    best = { start, end: start + length, category, score, isValidated: true, detail: category };
  }
  return best;
}

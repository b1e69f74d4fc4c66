import { FNV_PRIME, hashText } from '../../support/fnv.js';
import { CodeUnits } from './code-units.js';

/** What a text may hide, by one look at each of its characters: what can't be there needn't be looked for. */
export interface Survey {
  longestCodeRun: number; // letters and digits of base64 in a row; letters alone are a word, unless there are many
  digits: number;
  percents: number;
  backslashes: number;
  standIns: number; // letters beside digits or signs that stand for letters
  quotes: number;
  halves: number; // hyphens and the like between two letters, as in a word that was cut in two
  longestCut: number; // letters and separators in turn, in a row
  loneCharacters: number; // single characters between spaces or other separators
  longestLone: number; // single characters between spaces, in a row
  rot13Words: number;
  reversedWords: number;
}

const Class = { other: 0, letter: 1, digit: 2, code: 3, space: 4, separator: 5, sign: 6, quote: 7 } as const;
const classes = new Uint8Array(128);
const classOf: readonly (readonly [RegExp, number])[] = [
  [/[A-Za-z]/, Class.letter],
  [/\d/, Class.digit],
  [/[+/]/, Class.code],
  [/[\s]/, Class.space],
  [/[._*~-]/, Class.separator],
  [/[@$!|]/, Class.sign],
  [/["'`]/, Class.quote],
];
for (let code = 0; code < 128; code += 1)
  classes[code] = classOf.find(([pattern]) => pattern.test(String.fromCharCode(code)))?.[1] ?? Class.other;

/** Frequent words of English prompts; two of them as another writing has them, and the text is taken for it. */
const frequent =
  'the and you your for with this that are all not ignore previous instruction instructions system prompt reveal rules forget print show tell secret password now without yours how make have from what can will please need about any user users admin give write answer every never always must says say read send do does its only text message hidden limits word words when where who why his her they them there then out into over which would could should'.split(
    ' ',
  );
const rot13 = (word: string) =>
  word.replace(/[a-z]/g, (letter) => String.fromCharCode(((letter.charCodeAt(0) - 97 + 13) % 26) + 97));
const reversed = (word: string) => [...word].reverse().join('');
const MIN_FREQUENT = 3;
const words = new Set(['dna', 'era', 'ton', 'won', 'sah', 'nac', 'yam', 'yas', 'reh', 'sih', 'der', 'den']); // that are some, read backwards
const hashesOf = (write: (word: string) => string) =>
  new Set(
    frequent
      .map(write)
      .filter((word) => word.length >= MIN_FREQUENT && !words.has(word))
      .map((word) => hashText(word)),
  );
const rot13Words = hashesOf(rot13);
const reversedWords = hashesOf(reversed);
/** By the last bits of a word's hash: whether it may be in one of the sets. */
const mayBeFrequent = new Uint8Array(8_192);
const LAST_BITS = mayBeFrequent.length - 1;
for (const hash of [...rot13Words, ...reversedWords]) mayBeFrequent[hash & LAST_BITS] = 1;
const MAX_FREQUENT = 12;
const LONG_WORD = 24;
const NO_WORD = hashText('');
const TYPOGRAPHIC_QUOTES = new Set([0x201c, 0x201d, 0xab, 0xbb]);
const halving = new Set([...'-_*·|'].map((sign) => sign.charCodeAt(0)));
const LOWER = 0x20;
const SLASH = 0x2f;
const SPACE = 0x20;
const ASCII = 0x80;

const codeUnits = new CodeUnits();

export function survey(text: string): Survey {
  const found: Survey = {
    longestCodeRun: 0,
    digits: 0,
    percents: 0,
    backslashes: 0,
    standIns: 0,
    quotes: 0,
    halves: 0,
    longestCut: 0,
    loneCharacters: 0,
    longestLone: 0,
    rot13Words: 0,
    reversedWords: 0,
  };
  let codeRun = 0;
  let isCodeWord = true;
  let letters = 0;
  let hash = NO_WORD;
  let cutAt = 0;
  let cutRun = 0;
  let loneRun = 0;
  let codeBefore = SPACE;
  let before: number = Class.space;
  let beforeThat: number = Class.space;
  const { length } = text;
  const units = codeUnits.of(text);
  for (let at = 0; at <= length; at += 1) {
    const code = at === length ? SPACE : units[at]!;
    const own = code < ASCII ? classes[code]! : Class.letter;
    if (own === Class.letter && code < ASCII) {
      letters = 1;
      codeRun += 1;
      hash = Math.imul(NO_WORD ^ (code | LOWER), FNV_PRIME);
    } else {
      if (letters >= MIN_FREQUENT && letters <= MAX_FREQUENT && mayBeFrequent[hash & LAST_BITS]) {
        if (rot13Words.has(hash)) found.rot13Words += 1;
        else if (reversedWords.has(hash)) found.reversedWords += 1;
      }
      letters = 0;
      if (isCode(code, own)) {
        codeRun += 1;
        isCodeWord = false;
      } else {
        if (codeRun > found.longestCodeRun && (!isCodeWord || codeRun >= LONG_WORD))
          found.longestCodeRun = codeRun;
        codeRun = 0;
        isCodeWord = true;
      }
      if (own === Class.digit) found.digits += 1;
      else if (own === Class.quote || (code >= ASCII && TYPOGRAPHIC_QUOTES.has(code))) found.quotes += 1;
      else if (code === 0x25) found.percents += 1;
      else if (code === 0x5c) found.backslashes += 1;
    }
    if (isStandIn(before, own, code)) found.standIns += 1;
    if (isGap(own) && isGap(beforeThat) && !isGap(before)) found.loneCharacters += 1;
    if (beforeThat === Class.letter && own === Class.letter && before !== Class.space) {
      if (halving.has(codeBefore)) found.halves += 1;
      if (before === Class.separator) {
        cutRun = at - cutAt === 2 ? cutRun + 1 : 1;
        cutAt = at;
        if (cutRun > found.longestCut) found.longestCut = cutRun;
      }
    }
    if (before !== Class.space) {
      if (own !== Class.space) loneRun = 0;
      else if (beforeThat === Class.space) {
        loneRun += 1;
        if (loneRun > found.longestLone) found.longestLone = loneRun;
      }
    }
    beforeThat = before;
    before = code === SLASH ? Class.other : own;
    codeBefore = code;
    if (letters === 0) continue;
    // Most of a text: nothing begins or ends within a word.
    for (; at + 1 < length && isAsciiLetter(units[at + 1]!); at += 1) {
      codeBefore = units[at + 1]!;
      hash = Math.imul(hash ^ (codeBefore | LOWER), FNV_PRIME);
      letters += 1;
    }
    if (letters === 1) continue;
    codeRun += letters - 1;
    beforeThat = Class.letter;
    loneRun = 0;
  }
  return found;
}

function isAsciiLetter(code: number): boolean {
  return code < ASCII && classes[code] === Class.letter;
}

/** Of base64, beside letters. */
function isCode(code: number, own: number): boolean {
  return code < 128 && (own === Class.digit || own === Class.code || code === 0x5f || code === 0x2d);
}

function isStandIn(before: number, own: number, code: number): boolean {
  const other = before === Class.letter ? own : own === Class.letter ? before : Class.other;
  return other === Class.digit || other === Class.sign || (other === Class.code && code !== SLASH);
}

function isGap(kind: number): boolean {
  return kind === Class.space || kind === Class.separator;
}

import { looksLike } from './confusables.js';

/** Soft hyphen, joiners, fillers, zero-width, bidi controls and isolates, variation selectors, BOM, annotations; the tags that hide no ASCII. */
const invisible: readonly (readonly [number, number])[] = [
  [0xad, 0xad],
  [0x34f, 0x34f],
  [0x61c, 0x61c],
  [0x115f, 0x1160],
  [0x17b4, 0x17b5],
  [0x180b, 0x180f],
  [0x200b, 0x200f],
  [0x202a, 0x202e],
  [0x2060, 0x206f],
  [0x3164, 0x3164],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
  [0xfff9, 0xfffb],
  [0xe0000, 0xe001f],
  [0xe007f, 0xe01ef],
];

export function isInvisible(code: number): boolean {
  return invisible.some(([first, last]) => code >= first && code <= last);
}

const FIRST_TAG = 0xe0020;
const LAST_TAG = 0xe007e;
const TAG_OFFSET = 0xe0000;

/** Whether it hides a character of ASCII: {@link taggedUnit}. */
export function isTag(code: number): boolean {
  return code >= FIRST_TAG && code <= LAST_TAG;
}

export function taggedUnit(tag: number): number {
  return tag - TAG_OFFSET;
}

/** What is known of a UTF-16 unit, or of a pair of them, by itself. */
export const Unit = {
  half: 1, // of a surrogate pair
  composes: 2, // with what is before it: marks, and jamo
  changes: 4, // as a reader sees it: invisible, or NFKC has another for it
  letter: 8,
  lookAlike: 16,
  hidden: 32, // nothing is seen of it
  lowerCase: 64, // a letter in it
  number: 128,
} as const;

const KNOWN = 256;
const FIRST_PAIR = 0x10000;
const kinds = new Uint16Array(FIRST_PAIR);
const pairKinds = new Uint16Array(0x100000);

/** Bits of {@link Unit}; found out when first asked. */
export function unitKind(unit: number): number {
  const known = kinds[unit]!;
  return known === 0 ? learn(kinds, unit, isHalf(unit) ? Unit.half : kindOf(unit)) : known;
}

/** Those of the character that begins there: 0 at the end, {@link Unit.half} where it is half of one. */
export function kindAt(text: string, at: number): number {
  if (at < 0 || at >= text.length) return 0;
  const unit = text.charCodeAt(at);
  if (!isHalf(unit)) return unitKind(unit);
  const code = text.codePointAt(at)!;
  if (code < FIRST_PAIR) return unitKind(code);
  const known = pairKinds[code - FIRST_PAIR]!;
  return known === 0 ? learn(pairKinds, code - FIRST_PAIR, kindOf(code)) : known;
}

function learn(table: Uint16Array, at: number, kind: number): number {
  table[at] = KNOWN | kind;
  return table[at]!;
}

/** Those of the character that ends there. */
export function kindBefore(text: string, end: number): number {
  return kindAt(text, end - unitsBefore(text, end));
}

/** How many units the character has that begins there. */
export function unitsAt(text: string, at: number): number {
  return text.codePointAt(at)! < FIRST_PAIR ? 1 : 2;
}

export function unitsBefore(text: string, end: number): number {
  return end >= 2 && isHalf(text.charCodeAt(end - 1)) && unitsAt(text, end - 2) === 2 ? 2 : 1;
}

function isHalf(unit: number): boolean {
  return (unit & 0xf800) === 0xd800;
}

function kindOf(code: number): number {
  const character = String.fromCodePoint(code);
  let kind = 0;
  if (/[\p{M}\u1160-\u11ff]/u.test(character)) kind |= Unit.composes;
  if (isInvisible(code)) kind |= Unit.hidden | Unit.changes;
  else if (isTag(code) || character.normalize('NFKC') !== character) kind |= Unit.changes;
  if (/\p{L}/u.test(character)) kind |= Unit.letter;
  if (/\p{Ll}/u.test(character)) kind |= Unit.lowerCase;
  if (/\p{N}/u.test(character)) kind |= Unit.number;
  if (looksLike(character) !== undefined) kind |= Unit.lookAlike;
  return kind;
}

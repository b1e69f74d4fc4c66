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

/** What is known of a UTF-16 unit by itself. */
export const Unit = {
  half: 1, // of a surrogate pair
  composes: 2, // with what is before it: marks, and jamo
  changes: 4, // as a reader sees it: invisible, or NFKC has another for it
  letter: 8,
  lookAlike: 16,
  hidden: 32, // nothing is seen of it
} as const;

const KNOWN = 128;
const kinds = new Uint8Array(0x10000);

/** Bits of {@link Unit}; found out when first asked. */
export function unitKind(unit: number): number {
  const known = kinds[unit]!;
  return known === 0 ? learn(unit) : known;
}

function learn(unit: number): number {
  const character = String.fromCharCode(unit);
  let kind = KNOWN;
  if (unit >= 0xd800 && unit <= 0xdfff) kind |= Unit.half;
  else {
    if (/[\p{M}\u1160-\u11ff]/u.test(character)) kind |= Unit.composes;
    if (isInvisible(unit)) kind |= Unit.hidden | Unit.changes;
    else if (character.normalize('NFKC') !== character) kind |= Unit.changes;
    if (/\p{L}/u.test(character)) kind |= Unit.letter;
    if (looksLike(character) !== undefined) kind |= Unit.lookAlike;
  }
  kinds[unit] = kind;
  return kind;
}

/** What a UTF-16 unit is to the reader of words. */
export const Character = {
  word: 1, // of a word: a letter, a number or a mark
  letter: 2,
  ideograph: 4, // a word by itself: of a script without spaces
  half: 8, // of a surrogate pair
  quote: 16,
  sentenceEnd: 32,
  lineEnd: 64,
} as const;

/** Where a word's folding isn't that of its units, one by one. */
export const FOLDS_TOGETHER = 0xffff;
export const RIGHT_QUOTE = 0x2019;
export const APOSTROPHE = 0x27;

const FINAL_SIGMA = 0x3a3; // its lower case depends on where it stands
const KNOWN = 128;
const kinds = new Uint8Array(0x10000);
const folds = new Uint16Array(0x10000);
const kindOf: readonly (readonly [RegExp, number])[] = [
  [/[\p{L}\p{N}\p{M}]/u, Character.word],
  [/\p{L}/u, Character.letter],
  [/["`“”«»„]/, Character.quote],
  [/[.!?;。！？]/, Character.sentenceEnd],
  [/\n/, Character.lineEnd],
];
const ideograph = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;

/** Bits of {@link Character}; found out when first asked. */
export function characterKind(unit: number): number {
  const known = kinds[unit]!;
  return known === 0 ? learn(unit) : known;
}

/** In lower case and without accents; 0 where nothing is left of it. */
export function foldedUnit(unit: number): number {
  if (kinds[unit] === 0) learn(unit);
  return folds[unit]!;
}

/** Lower case, without accents and with straight apostrophes: "L’Été" as "l'ete". */
export function folded(word: string): string {
  return word
    .toLowerCase()
    .replaceAll('’', "'")
    .normalize('NFD')
    .replace(/\p{M}+/gu, '');
}

function learn(unit: number): number {
  const character = String.fromCharCode(unit);
  let kind = KNOWN;
  if (unit >= 0xd800 && unit <= 0xdfff) kind |= Character.half;
  else for (const [pattern, own] of kindOf) if (pattern.test(character)) kind |= own;
  if (ideograph.test(character)) kind = (kind & ~Character.word) | Character.ideograph;
  kinds[unit] = kind;
  const fold = folded(character);
  folds[unit] =
    fold.length > 1 || unit === FINAL_SIGMA || kind & Character.half
      ? FOLDS_TOGETHER
      : fold.charCodeAt(0) || 0;
  return kind;
}

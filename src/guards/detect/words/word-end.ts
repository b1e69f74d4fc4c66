import { APOSTROPHE, Character, characterKind, RIGHT_QUOTE } from './characters.js';

/** A word with characters of more than one unit. */
const rareWord =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|(?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}])[\p{L}\p{N}\p{M}])+(?:['’][\p{L}]+)*/uy;
/** A character that such a word may have; of most others it needn't be asked where it ends. */
const wordy = /[\p{L}\p{N}\p{M}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/uy;
const ASCII = 0x80;
const NINE = 0x39;

/** Where the word that begins at `start` ends; `start` itself where none begins. `units` are those of `text`. */
export function wordEnd(text: string, units: Uint16Array, start: number): number {
  const unit = units[start]!;
  if (unit < ASCII) return asciiWordEnd(text, units, start);
  return characterKind(unit) & Character.ideograph ? start + 1 : wideWordEnd(text, units, start);
}

/** As far as it is ASCII, an apostrophe joins ASCII letters only. */
function asciiWordEnd(text: string, units: Uint16Array, start: number): number {
  const { length } = text;
  let isAfterApostrophe = false;
  let at = start + 1;
  for (; at < length; at += 1) {
    const unit = units[at]!;
    const kind = characterKind(unit);
    if (unit >= ASCII) {
      if (unit === RIGHT_QUOTE || kind & (Character.word | Character.half))
        return wideWordEnd(text, units, start);
      break;
    }
    if (kind & Character.word) {
      if (isAfterApostrophe && unit <= NINE) break;
      continue;
    }
    if (unit !== APOSTROPHE || at + 1 >= length) break;
    const next = units[at + 1]!;
    if (next >= ASCII || !(characterKind(next) & Character.letter)) break;
    isAfterApostrophe = true;
  }
  return at;
}

function wideWordEnd(text: string, units: Uint16Array, start: number): number {
  const kindAt = (at: number) => (at < text.length ? characterKind(units[at]!) : 0);
  let at = start;
  while (kindAt(at) & Character.word) at += 1;
  while (isApostrophe(units[at]!) && kindAt(at) !== 0 && kindAt(at + 1) & Character.letter) {
    at += 2;
    while (kindAt(at) & Character.letter) at += 1;
  }
  const next = isApostrophe(units[at]!) ? at + 1 : at;
  return kindAt(next) & Character.half && isWordy(text, next) ? rareWordEnd(text, start) : at;
}

function isApostrophe(unit: number): boolean {
  return unit === APOSTROPHE || unit === RIGHT_QUOTE;
}

const FIRST_PAIR = 0x10000;
const Known = { no: 1, yes: 2 } as const;
/** Of characters of two units, once asked. */
const wordyPairs = new Uint8Array(0x100000);

function isWordy(text: string, at: number): boolean {
  const pair = text.codePointAt(at)! - FIRST_PAIR;
  if (pair < 0) return false; // half of one is no letter
  if (wordyPairs[pair] === 0) {
    wordy.lastIndex = at;
    wordyPairs[pair] = wordy.test(text) ? Known.yes : Known.no;
  }
  return wordyPairs[pair] === Known.yes;
}

function rareWordEnd(text: string, start: number): number {
  rareWord.lastIndex = start;
  return rareWord.test(text) ? rareWord.lastIndex : start;
}

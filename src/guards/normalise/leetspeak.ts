import { type MappedText, MappedTextBuilder } from './mapped-text.js';

const letters: Record<string, string> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '8': 'b',
  '9': 'g',
  '@': 'a',
  $: 's',
  '!': 'i',
  '|': 'i',
  '+': 't',
};
const ASCII = 0x80;
const FULL_STOP = 0x2e;
const EXCLAMATION = 0x21;
const meant = Uint16Array.from({ length: ASCII }, (_, unit) => {
  const character = String.fromCharCode(unit);
  return (letters[character] ?? character).charCodeAt(0);
});
/** What a unit is in a word of this kind. */
const Part = { none: 0, letter: 1, standIn: 2 } as const;
const parts = Uint8Array.from({ length: ASCII }, (_, unit) => {
  const character = String.fromCharCode(unit);
  return /[A-Za-z_]/.test(character) ? Part.letter : /[\d@$!|+]/.test(character) ? Part.standIn : Part.none;
});
const MIN_LENGTH = 3;
const MAX_LENGTH = 24;
const MIN_WORDS = 2;

/** Words such as "1gn0r3" with the letters meant, or null where the text has hardly any. */
export function fromLeetspeak(source: MappedText): MappedText | null {
  const { text, units } = source;
  const builder = new MappedTextBuilder(source);
  let kept = 0;
  let leetWords = 0;
  for (let at = 0; at < units.length; at += 1) {
    if (partAt(units, at) === Part.none) continue;
    const runEnd = endOfRun(units, at);
    const end = wordEnd(units, at, runEnd);
    if (end > at) {
      const word = text.slice(at, end);
      const isLeetWord = isLeet(word);
      if (isLeetWord) leetWords += 1;
      if (isLeetWord || isMixed(word)) {
        builder.keep(kept, at);
        for (; at < end; at += 1) builder.replaceBy(meant[units[at]!]!, at, at + 1);
        kept = end;
      }
    }
    at = runEnd;
  }
  if (leetWords < MIN_WORDS) return null;
  builder.keep(kept, text.length);
  return builder.build();
}

function partAt(units: Uint16Array, at: number): number {
  return at < units.length && units[at]! < ASCII ? parts[units[at]!]! : Part.none;
}

function endOfRun(units: Uint16Array, start: number): number {
  let end = start;
  while (partAt(units, end) !== Part.none) end += 1;
  return end;
}

/** Where the word of a run ends; its start where it is none: without a digit or sign, or an e-mail's @ or a sum. */
function wordEnd(units: Uint16Array, start: number, runEnd: number): number {
  if (units[start - 1] === FULL_STOP) return start;
  let standIn = start;
  while (standIn < runEnd && partAt(units, standIn) === Part.letter) standIn += 1;
  if (standIn === runEnd || standIn - start >= MAX_LENGTH) return start;
  let end = runEnd;
  if (runEnd - start > MAX_LENGTH) {
    end = start + MAX_LENGTH;
    while (end > start && units[end] !== EXCLAMATION) end -= 1;
  }
  return end - start >= MIN_LENGTH ? end : start;
}

/** In a text that has leet words anyway. */
const isMixed = (word: string) => /[A-Za-z]/.test(word) && /\d/.test(word);

/** Letters and stand-ins alternate; "sha256", "2nd" and "20kg" hold all of theirs in one place, "A1" is too short to say. */
function isLeet(word: string): boolean {
  if (!/[A-Za-z]/.test(word)) return /^[013457@$!|+]{4,}$/.test(word) && /[@$!|+]/.test(word);
  if (/^[A-Za-z]+!*$/.test(word)) return false;
  return /[A-Za-z][013457@$!|+]+[A-Za-z]|^[013457@$!|+]{1,2}[a-z]{2,}|[013457@$|+][a-z][013457@$|+]/i.test(
    word,
  );
}

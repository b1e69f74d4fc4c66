import { type MappedText, MappedTextBuilder } from './mapped-text.js';
import { kindAt, kindBefore, Unit, unitsAt, unitsBefore } from './units.js';

const LATIN_1 = 0x100;
const isSign = Uint8Array.from({ length: LATIN_1 }, (_, unit) =>
  Number('-_*·|'.includes(String.fromCharCode(unit))),
);
const HYPHEN = '-';
const OF_WORD = Unit.letter | Unit.number;
const MAX_FIRST = 6; // letters
const MAX_SECOND = 8;
const MIN_HALVES = 3;

/** Words that were cut in two ("pre-vious", "by_pass"), whole again; null where there are few. */
export function joinHalves(source: MappedText): MappedText | null {
  const { text, units } = source;
  const builder = new MappedTextBuilder(source);
  let kept = 0;
  let joined = 0;
  let end = 0;
  for (let at = 0; at < units.length; at += 1) {
    if (units[at]! >= LATIN_1 || isSign[units[at]!] === 0) continue;
    const first = halfBefore(text, at);
    if (first === null || first < end) continue; // it is the second half of another
    const second = halfAfter(text, at + 1);
    if (second === null) continue;
    builder.keep(kept, at);
    kept = at + 1;
    end = second;
    joined += 1;
  }
  if (joined < MIN_HALVES) return null;
  builder.keep(kept, text.length);
  return builder.build();
}

/** Where the word of small letters that ends at a sign begins; null where there is none, or a long one. */
function halfBefore(text: string, end: number): number | null {
  let start = end;
  let letters = 0;
  while (letters <= MAX_FIRST && kindBefore(text, start) & Unit.lowerCase) {
    start -= unitsBefore(text, start);
    letters += 1;
  }
  const isWhole = !(kindBefore(text, start) & OF_WORD) && text[start - 1] !== HYPHEN;
  return letters > 0 && letters <= MAX_FIRST && isWhole ? start : null;
}

/** Where the one that begins behind it ends. */
function halfAfter(text: string, start: number): number | null {
  let end = start;
  let letters = 0;
  while (letters <= MAX_SECOND && kindAt(text, end) & Unit.lowerCase) {
    end += unitsAt(text, end);
    letters += 1;
  }
  const isWhole = !(kindAt(text, end) & OF_WORD) && text[end] !== HYPHEN;
  return letters > 0 && letters <= MAX_SECOND && isWhole ? end : null;
}

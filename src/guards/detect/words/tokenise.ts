import { CodeUnits } from '../../normalise/code-units.js';
import { Character, characterKind } from './characters.js';
import { Quotes } from './quotes.js';
import { termAt } from './term.js';
import { wordEnd } from './word-end.js';
import { Said, vocabulary, type Words, WordWriter } from './words.js';

const ASCII = 0x80;
const LINE_FEED = 0x0a;
const WORDY = Character.word | Character.ideograph | Character.half;
const SPEAKING = Character.quote | Character.sentenceEnd | Character.lineEnd;

const units = new CodeUnits();
const writer = new WordWriter();

/** A word, or one ideograph: scripts without spaces are taken character by character. */
export function tokenise(text: string): Words {
  vocabulary.makeRoom();
  const quotes = new Quotes();
  const all = units.of(text);
  let said: number = Said.startsSentence;
  for (let at = 0; at < text.length; ) {
    const kind = characterKind(all[at]!);
    if (kind & WORDY) {
      const end = wordEnd(text, all, at);
      if (end > at) {
        writer.add(termAt(text, all, at, end), at, end, said);
        said = 0;
      }
      at = Math.max(end, at + (isPair(all, at) ? 2 : 1));
      continue;
    }
    if (kind & SPEAKING) {
      if (kind & Character.quote) {
        at += quotes.take(text, at, writer);
        continue;
      }
      if (kind & Character.lineEnd) {
        said = Said.startsSentence;
        if (at + 1 < text.length && all[at + 1] === LINE_FEED) quotes.endParagraph();
      } else if (all[at]! >= ASCII || endsSentence(text, all, at + 1)) said = Said.startsSentence;
    }
    at += 1;
  }
  return writer.take();
}

/** Two halves of one character. */
function isPair(units: Uint16Array, at: number): boolean {
  return (units[at]! & 0xfc00) === 0xd800 && (units[at + 1]! & 0xfc00) === 0xdc00;
}

/** A space, a closing mark or the end. */
const ending = /[\s"'”»)\]]/;
const asciiEnding = Uint8Array.from({ length: ASCII }, (_, unit) =>
  Number(ending.test(String.fromCharCode(unit))),
);

function endsSentence(text: string, units: Uint16Array, at: number): boolean {
  if (at >= text.length) return true;
  return units[at]! < ASCII ? asciiEnding[units[at]!] === 1 : ending.test(text[at]!);
}

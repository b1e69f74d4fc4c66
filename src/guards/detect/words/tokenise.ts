import { Quotes } from './quotes.js';
import { type Term, Vocabulary } from './vocabulary.js';

/** A word of a text, or one ideograph: scripts without spaces are taken character by character. */
export interface Word {
  term: Term;
  text: string; // the term's: lower case, without accents
  start: number;
  end: number;
  /** In quotation marks or code: rather spoken of than said. */
  isQuoted: boolean;
  startsSentence: boolean;
}

const wordOrMark =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|(?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}])[\p{L}\p{N}\p{M}])+(?:['’][\p{L}]+)*|[“”«»„。！？]/uy;
// biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII has no accents
const onlyAscii = /^[\u0000-\u007f]*$/;

/** What an ASCII character is to the reader of words. */
const Kind = { other: 0, word: 1, mark: 2, sentenceEnd: 3, lineEnd: 4 } as const;
const kinds = new Uint8Array(128);
for (let code = 0; code < 128; code += 1) {
  const character = String.fromCharCode(code);
  if (/[A-Za-z0-9]/.test(character)) kinds[code] = Kind.word;
  else if (/["`]/.test(character)) kinds[code] = Kind.mark;
  else if (/[.!?;]/.test(character)) kinds[code] = Kind.sentenceEnd;
  else if (character === '\n') kinds[code] = Kind.lineEnd;
}
const APOSTROPHE = 0x27;
const RIGHT_QUOTE = 0x2019;

const vocabulary = new Vocabulary();

/** One pass: plain ASCII by a table, the rest by the pattern. */
export function tokenise(text: string): Word[] {
  const words: Word[] = [];
  const quotes = new Quotes();
  const lower = text.toLowerCase();
  const isSameLength = lower.length === text.length;
  let startsSentence = true;
  const add = (start: number, end: number, isAscii: boolean): void => {
    const written = isSameLength ? lower.slice(start, end) : text.slice(start, end).toLowerCase();
    const term = vocabulary.of(isAscii ? written : withoutAccents(written));
    words.push({ term, text: term.text, start, end, isQuoted: false, startsSentence });
    startsSentence = false;
  };
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    const kind = code < 128 ? kinds[code]! : -1;
    if (kind === Kind.word) {
      const end = asciiWordEnd(text, at);
      if (end > at) {
        add(at, end, true);
        at = end;
        continue;
      }
    } else if (kind !== -1) {
      if (kind === Kind.mark) at += takeMark(text, at, quotes, words) - 1;
      else if (kind === Kind.sentenceEnd) startsSentence ||= isSpaceOrEnd(text, at + 1);
      else if (kind === Kind.lineEnd) {
        startsSentence = true;
        if (text.charCodeAt(at + 1) === code) quotes.endParagraph();
      }
      at += 1;
      continue;
    }
    wordOrMark.lastIndex = at;
    const found = wordOrMark.exec(text)?.[0];
    if (found === undefined) at += 1;
    else {
      if (/^[。！？]/.test(found)) startsSentence = true;
      else if (!quotes.take(found, words)) add(at, at + found.length, false);
      at += found.length;
    }
  }
  return words;
}

/** Lower case, without accents and with straight apostrophes: "L’été" as "l'ete". */
export function folded(word: string): string {
  return withoutAccents(word.toLowerCase());
}

function withoutAccents(lower: string): string {
  if (onlyAscii.test(lower)) return lower;
  return lower
    .replaceAll('’', "'")
    .normalize('NFD')
    .replace(/\p{M}+/gu, '');
}

/** Where the word that begins at `start` ends; `start` itself where it isn't all ASCII. */
function asciiWordEnd(text: string, start: number): number {
  let at = start + 1;
  let isAfterApostrophe = false;
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === RIGHT_QUOTE || (code >= 128 && isWordUnit(text, at))) return start;
    if (code >= 128) break;
    if (kinds[code] === Kind.word && !(isAfterApostrophe && code < 0x3a)) continue;
    if (code !== APOSTROPHE || !/[A-Za-z]/.test(text[at + 1] ?? '')) break;
    isAfterApostrophe = true;
  }
  return at;
}

const wordUnit =
  /(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}])[\p{L}\p{N}\p{M}]/uy;

function isWordUnit(text: string, at: number): boolean {
  wordUnit.lastIndex = at;
  return wordUnit.test(text);
}

/** Its length. Three backticks are one mark. */
function takeMark(text: string, at: number, quotes: Quotes, words: Word[]): number {
  const mark = text.startsWith('```', at) ? '```' : text[at]!;
  quotes.take(mark, words);
  return mark.length;
}

function isSpaceOrEnd(text: string, at: number): boolean {
  return at >= text.length || /[\s"'”»)\]]/.test(text[at]!);
}

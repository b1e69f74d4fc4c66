import { stemmer } from 'stemmer';
import {
  appositionNouns,
  askingNouns,
  irregularForms,
  lightWords,
  negations,
  numberWords,
  phrases,
  unitWords,
} from './lexicon.js';

export interface Word {
  text: string; // lower case
  stem: string; // of a quantity both: "5 mile"
  kind: 'light' | 'negation' | 'number' | 'plain';
  /** Written with a capital within a sentence, or in capitals: a name, or an abbreviation. */
  isName: boolean;
}

const wordPattern = /[\p{L}\p{M}]+(?:['’][\p{L}]+)?|\d[\d.,:]*|[$€£%°"“”„.!?]/gu;
const symbols: ReadonlyMap<string, string> = new Map([
  ['$', 'dollar'],
  ['€', 'euro'],
  ['£', 'pound'],
  ['%', 'percent'],
  ['°', 'degree'],
]);

/** The words of a question; within quotation marks none is light. */
export function wordsOf(question: string): Word[] {
  const words: Word[] = [];
  let startsSentence = true;
  let isQuoted = false;
  for (const [piece] of question.normalize('NFKC').matchAll(wordPattern)) {
    if (/^[.!?]$/.test(piece)) startsSentence = true;
    else if (/^["“”„]$/.test(piece)) isQuoted = !isQuoted;
    else {
      for (const part of expand(piece)) words.push(wordOf(part, words.at(-1), { startsSentence, isQuoted }));
      startsSentence = false;
    }
  }
  return withQuantities(withPhrases(words));
}

/** Contractions as the words that they stand for. */
function expand(piece: string): string[] {
  const text = piece.replace('’', "'");
  if (/^(can't|cannot)$/i.test(text)) return ['can', 'not'];
  if (/^won't$/i.test(text)) return ['will', 'not'];
  if (/n't$/i.test(text)) return [text.slice(0, -3), 'not'];
  return [text.replace(/'(?:s|re|ve|ll|d|m)$/i, '')];
}

function wordOf(
  piece: string,
  before: Word | undefined,
  { startsSentence, isQuoted }: { startsSentence: boolean; isQuoted: boolean },
): Word {
  const text = symbols.get(piece) ?? piece.toLowerCase();
  const number = /^\d/.test(text) ? plainNumber(text) : numberWords.get(text);
  if (number !== undefined) return { text, stem: number, kind: 'number', isName: false };
  const isCapital = piece !== text;
  const isName = isCapital && piece !== 'I' && (!startsSentence || /^\p{Lu}{2,}$/u.test(piece));
  const kind = isQuoted || isName ? 'plain' : kindOf(text, before);
  return { text, stem: stemOf(text), kind, isName };
}

const asks = /^(?:what|which|how|best|good|right|ideal)$/;

function kindOf(text: string, before: Word | undefined): Word['kind'] {
  if (negations.has(text)) return 'negation';
  const isAsking = askingNouns.has(text) && asks.test(before?.text ?? '');
  const isApposition = appositionNouns.has(text) && before?.text === 'the';
  return isAsking || isApposition || lightWords.has(text) ? 'light' : 'plain';
}

/** "1,200.50" as "1200.5". */
function plainNumber(text: string): string {
  const trimmed = text.replace(/[.,:]+$/, '').replace(/,(?=\d{3}\b)/g, '');
  const value = Number(trimmed);
  return Number.isNaN(value) ? trimmed : String(value);
}

/** One for all forms of a word. */
export function stemOf(text: string): string {
  return stemmer(irregularForms.get(text) ?? text);
}

function withPhrases(words: readonly Word[]): Word[] {
  const joined: Word[] = [];
  for (const word of words) {
    const before = joined.at(-1);
    const text =
      before && !before.isName && !word.isName ? phrases.get(`${before.text} ${word.text}`) : undefined;
    if (text === undefined) joined.push(word);
    else joined[joined.length - 1] = { text, stem: stemOf(text), kind: 'plain', isName: false };
  }
  return joined;
}

/** A number and its unit are one word. */
function withQuantities(words: readonly Word[]): Word[] {
  const joined: Word[] = [];
  for (const word of words) {
    const number = joined.at(-1);
    if (number?.kind === 'number' && isUnit(word) && !number.stem.includes(' ')) {
      joined[joined.length - 1] = { ...number, stem: `${number.stem} ${word.stem}` };
    } else if (word.kind === 'number' && /^(dollar|euro|pound)$/.test(number?.text ?? '')) {
      joined[joined.length - 1] = { ...word, stem: `${word.stem} ${number!.stem}` };
    } else joined.push(word);
  }
  return joined;
}

const unitStems = new Set([...unitWords].map(stemOf));

function isUnit({ kind, stem }: Word): boolean {
  return kind === 'plain' && unitStems.has(stem);
}

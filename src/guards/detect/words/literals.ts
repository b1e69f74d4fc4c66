import type { Finding, Recogniser } from '../../finding.js';
import { plainText } from '../../normalise/plain.js';
import { Unit, unitKind } from '../../normalise/units.js';
import { Character, characterKind } from './characters.js';

/** A beginning of words, by the unit that comes next. */
interface Beginning {
  next: Map<number, Beginning>;
  isWord: boolean;
}

/**
 * Finds fixed texts, in any case and whole words only: a letter or digit at either side makes it another word. Takes time
 * proportional to text × longest word.
 */
export function literals(category: string, words: readonly string[]): Recogniser {
  const lower = words.map((word) => word.toLowerCase());
  const beginnings = beginningsOf(lower);
  const maxSpan = Math.max(0, ...lower.map(({ length }) => length));

  const find = (text: string): Finding[] => {
    const all = lowered(text);
    const found: Finding[] = [];
    for (let start = 0; start < all.length; start += 1) {
      if (!beginnings.next.has(all.charCodeAt(start)) || isWordAt(text, start - 1)) continue;
      const end = longestEnd(beginnings, all, start);
      if (end === null) continue;
      found.push({ start, end, category, score: 1, isValidated: false, detail: 'keyword' });
      start = end - 1;
    }
    return found;
  };
  const openFrom = (text: string): number => {
    const all = lowered(text);
    for (let start = Math.max(0, all.length - maxSpan); start < all.length; start += 1)
      if (mayGoOn(beginnings, all, start) && !isWordAt(text, start - 1)) return start;
    return text.length;
  };
  return { name: 'keywords', categories: [category], maxSpan, lookAhead: 1, find, openFrom };
}

function beginningsOf(words: readonly string[]): Beginning {
  const root: Beginning = { next: new Map(), isWord: false };
  for (const word of words) {
    let at = root;
    for (let index = 0; index < word.length; index += 1) {
      const unit = word.charCodeAt(index);
      const next = at.next.get(unit) ?? { next: new Map(), isWord: false };
      at.next.set(unit, next);
      at = next;
    }
    at.isWord = true;
  }
  return root;
}

/** Where the longest of the words that begin there ends, or null. */
function longestEnd(root: Beginning, text: string, start: number): number | null {
  let longest: number | null = null;
  let at = root.next.get(text.charCodeAt(start));
  for (let end = start + 1; at !== undefined; end += 1) {
    if (at.isWord && !isWordAt(text, end)) longest = end;
    at = end < text.length ? at.next.get(text.charCodeAt(end)) : undefined;
  }
  return longest;
}

/** Whether all from there on begins a word. */
function mayGoOn(root: Beginning, text: string, start: number): boolean {
  let at: Beginning | undefined = root;
  for (let index = start; index < text.length && at !== undefined; index += 1)
    at = at.next.get(text.charCodeAt(index));
  return at !== undefined;
}

/** Lower case, unless that would move what follows ("İ" becomes two units). */
function lowered(text: string): string {
  const lower = text.toLowerCase();
  if (lower.length === text.length) return lower;
  return Array.from(text, (each) =>
    each.toLowerCase().length === each.length ? each.toLowerCase() : each,
  ).join('');
}

const UNDERSCORE = 0x5f;
const OF_WORD = Unit.letter | Unit.number;

/** Scripts without spaces have a word at every character. */
function isWordAt(text: string, index: number): boolean {
  if (index < 0 || index >= text.length) return false;
  const unit = text.charCodeAt(index);
  if (unit === UNDERSCORE) return true;
  return (unitKind(unit) & OF_WORD) !== 0 && !(characterKind(unit) & Character.ideograph);
}

/** The same in a whole text as a reader sees it, whatever characters it is disguised with. */
export function findDisguised(recogniser: Recogniser, text: string): Finding[] {
  const plain = plainText(text);
  return recogniser
    .find(plain.text)
    .map((found) => ({ ...found, ...plain.original(found.start, found.end) }));
}

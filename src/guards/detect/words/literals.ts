import type { Finding, Recogniser } from '../../finding.js';
import { plainText } from '../../normalise/plain.js';

/**
 * Finds fixed texts, in any case and whole words only: a letter or digit at either side makes it another word. Takes time
 * proportional to text × words' distinct lengths.
 */
export function literals(category: string, words: readonly string[]): Recogniser {
  const wanted = new Set(words.map((word) => word.toLowerCase()));
  const lengths = [...new Set([...wanted].map(({ length }) => length))].sort((a, b) => b - a);
  const prefixes = new Set(
    [...wanted].flatMap((word) => Array.from(word, (_, end) => word.slice(0, end + 1))),
  );
  const maxSpan = lengths[0] ?? 0;

  const find = (text: string): Finding[] => {
    const lower = lowered(text);
    const found: Finding[] = [];
    for (let start = 0; start < lower.length; start += 1) {
      if (!prefixes.has(lower[start]!) || isWordAt(text, start - 1)) continue;
      const length = lengths.find((each) => {
        return wanted.has(lower.slice(start, start + each)) && !isWordAt(text, start + each);
      });
      if (length === undefined) continue;
      found.push({ start, end: start + length, category, score: 1, isValidated: false, detail: 'keyword' });
      start += length - 1;
    }
    return found;
  };
  const openFrom = (text: string): number => {
    const lower = lowered(text);
    for (let start = Math.max(0, lower.length - maxSpan); start < lower.length; start += 1) {
      if (prefixes.has(lower.slice(start)) && !isWordAt(text, start - 1)) return start;
    }
    return text.length;
  };
  return { name: 'keywords', categories: [category], maxSpan, lookAhead: 1, find, openFrom };
}

/** Lower case, unless that would move what follows ("İ" becomes two units). */
function lowered(text: string): string {
  const lower = text.toLowerCase();
  if (lower.length === text.length) return lower;
  return Array.from(text, (each) =>
    each.toLowerCase().length === each.length ? each.toLowerCase() : each,
  ).join('');
}

/** Scripts without spaces have a word at every character. */
const wordCharacter =
  /(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}])[\p{L}\p{N}_]/u;

function isWordAt(text: string, index: number): boolean {
  return index >= 0 && index < text.length && wordCharacter.test(text[index]!);
}

/** The same in a whole text as a reader sees it, whatever characters it is disguised with. */
export function findDisguised(recogniser: Recogniser, text: string): Finding[] {
  const plain = plainText(text);
  return recogniser
    .find(plain.text)
    .map((found) => ({ ...found, ...plain.original(found.start, found.end) }));
}

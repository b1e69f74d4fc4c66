/** A word of a text, or one ideograph: scripts without spaces are taken character by character. */
export interface Word {
  text: string; // lower case, without accents
  start: number;
  end: number;
  /** In quotation marks or code: rather spoken of than said. */
  isQuoted: boolean;
}

const wordOrMark =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[\p{L}\p{N}\p{M}]+(?:['’][\p{L}]+)*|```|[`"“”«»„]|\n\n/gu;
// biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII has no accents
const onlyAscii = /^[\u0000-\u007f]*$/;
/** A quotation longer than this isn't one. */
const MAX_QUOTED_WORDS = 120;

export function tokenise(text: string): Word[] {
  const words: Word[] = [];
  const quotes = new Quotes();
  for (const { 0: found, index } of text.matchAll(wordOrMark)) {
    if (quotes.take(found, words)) continue;
    words.push({ text: folded(found), start: index, end: index + found.length, isQuoted: false });
  }
  return words;
}

/** Lower case, without accents and with straight apostrophes: "L’été" as "l'ete". */
export function folded(word: string): string {
  const lower = word.toLowerCase();
  if (onlyAscii.test(lower)) return lower;
  return lower
    .replaceAll('’', "'")
    .normalize('NFD')
    .replace(/\p{M}+/gu, '');
}

/** Marks the words between a quotation mark and the one that closes it. */
class Quotes {
  private readonly open = new Map<string, number>(); // mark → words before it

  take(found: string, words: Word[]): boolean {
    if (found === '\n\n') {
      const fence = this.open.get('```');
      this.open.clear(); // quotations end with their paragraph, code doesn't
      if (fence !== undefined) this.open.set('```', fence);
      return true;
    }
    const mark = closes[found];
    if (mark === undefined) return false;
    const from = this.open.get(mark);
    if (from === undefined || found === '“' || found === '«' || found === '„') {
      this.open.set(mark, words.length);
      return true;
    }
    this.open.delete(mark);
    if (words.length - from <= MAX_QUOTED_WORDS || mark === '```')
      for (const word of words.slice(from)) word.isQuoted = true;
    return true;
  }
}

const closes: Record<string, string> = {
  '```': '```',
  '`': '`',
  '"': '"',
  '“': '”',
  '”': '”',
  '„': '”',
  '«': '»',
  '»': '»',
};

import type { WordWriter } from './words.js';

/** A quotation longer than this isn't one. */
const MAX_QUOTED_WORDS = 120;

/** Marks the words between a quotation mark and the one that closes it. */
export class Quotes {
  private readonly open = new Map<string, number>(); // mark → words before it

  /** Quotations end with their paragraph, code doesn't. */
  endParagraph(): void {
    const fence = this.open.get('```');
    this.open.clear();
    if (fence !== undefined) this.open.set('```', fence);
  }

  take(found: string, words: WordWriter): void {
    const mark = closes[found]!;
    const from = this.open.get(mark);
    if (from === undefined || found === '“' || found === '«' || found === '„') {
      this.open.set(mark, words.length);
      return;
    }
    this.open.delete(mark);
    if (words.length - from <= MAX_QUOTED_WORDS || mark === '```') words.quote(from);
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

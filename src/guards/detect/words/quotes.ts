import type { WordWriter } from './words.js';

/** A quotation longer than this isn't one. */
const MAX_QUOTED_WORDS = 120;

/** What closes a quotation. */
const Mark = { fence: 0, backtick: 1, straight: 2, curly: 3, guillemet: 4 } as const;
const MARKS = 5;
const NOT_OPEN = -1;
const BACKTICK = 0x60;
const FENCE = '```';

/** By the unit that begins or ends it. */
const marks = new Map<number, { closes: number; opensOnly: boolean }>(
  Object.entries({
    '`': { closes: Mark.backtick, opensOnly: false },
    '"': { closes: Mark.straight, opensOnly: false },
    '“': { closes: Mark.curly, opensOnly: true },
    '”': { closes: Mark.curly, opensOnly: false },
    '„': { closes: Mark.curly, opensOnly: true },
    '«': { closes: Mark.guillemet, opensOnly: true },
    '»': { closes: Mark.guillemet, opensOnly: false },
  }).map(([sign, mark]) => [sign.charCodeAt(0), mark]),
);

/** Marks the words between a quotation mark and the one that closes it. */
export class Quotes {
  /** By mark: the words before it. */
  private readonly open = new Int32Array(MARKS).fill(NOT_OPEN);

  /** Quotations end with their paragraph, code doesn't. */
  endParagraph(): void {
    this.open.fill(NOT_OPEN, Mark.fence + 1);
  }

  /** Takes the mark that begins at `at`, and says how many units it has. */
  take(text: string, at: number, words: WordWriter): number {
    const unit = text.charCodeAt(at);
    if (unit === BACKTICK && text.startsWith(FENCE, at)) {
      this.turn(Mark.fence, false, words);
      return FENCE.length;
    }
    const { closes, opensOnly } = marks.get(unit)!;
    this.turn(closes, opensOnly, words);
    return 1;
  }

  private turn(mark: number, opensOnly: boolean, words: WordWriter): void {
    const from = this.open[mark]!;
    if (from === NOT_OPEN || opensOnly) {
      this.open[mark] = words.length;
      return;
    }
    this.open[mark] = NOT_OPEN;
    if (words.length - from <= MAX_QUOTED_WORDS || mark === Mark.fence) words.quote(from);
  }
}

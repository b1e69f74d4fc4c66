import { type Edit, editsOf, neverHides } from '../edits.js';
import { LOOK_BEHIND } from '../finding.js';
import type { Hit } from '../types.js';

/** Text between two checks by guards that read sentences overlaps by so much. */
const SENTENCE_OVERLAP = 200;
/** A sentence that is longer is checked in parts. */
const MAX_SENTENCE = 1_000;
const sentenceEnd = /[.!?。！？][)"'\]]*\s|\n/g;

/** A part of a text as it was written, and what is shown of it. */
export interface Piece {
  source: string;
  shown: string;
}

/** One text of an answer, as it grows: its content, its reasoning, the arguments of a call. Only what may still matter is kept. */
export class Channel {
  #window = '';
  #start = 0; // of the window, in the whole text
  #sent = 0;
  #judged = 0;

  append(text: string): void {
    this.#window += text;
  }

  /** What has to be looked at: what isn't sent, and enough before it. Hits are of this text. */
  get window(): string {
    return this.#window;
  }

  get hasUnsent(): boolean {
    return this.#sent < this.#start + this.#window.length;
  }

  /** Hits that lie in what isn't sent and is decided. */
  decided(hits: readonly Hit[], decidedTo: number): Hit[] {
    const from = this.#sent - this.#start;
    return hits.filter(({ start }) => start >= from && start < decidedTo);
  }

  /** Gives out all up to a place in the window, edited. */
  release(to: number, hits: readonly Hit[]): Piece[] {
    const from = this.#sent - this.#start;
    if (to <= from) return [];
    const pieces = piecesOf(this.#window, from, to, editsOf(this.#window, hits, neverHides));
    this.#sent = this.#start + to;
    return pieces;
  }

  /** Whole sentences that no guard has read yet, with something before them; all, at the end. Null: none. */
  takeSentences(isFinal: boolean): string | null {
    const from = Math.max(0, this.#judged - this.#start);
    const text = this.#window;
    const unread = text.slice(from);
    const end = isFinal || unread.length > MAX_SENTENCE ? unread.length : lastSentenceEnd(unread);
    if (end === 0) return null;
    this.#judged = this.#start + from + end;
    return text.slice(Math.max(0, from - SENTENCE_OVERLAP), from + end);
  }

  /** Up to where in the window sentences were taken. */
  get judgedTo(): number {
    return Math.max(0, this.#judged - this.#start);
  }

  /** Forgets what no guard will look at again. `readsSentences`: takeSentences() is used. */
  trim(readsSentences: boolean): void {
    const unread = readsSentences ? this.#judged - SENTENCE_OVERLAP : Number.POSITIVE_INFINITY;
    const keepFrom = Math.min(this.#sent - LOOK_BEHIND, unread);
    const excess = keepFrom - this.#start;
    if (excess <= LOOK_BEHIND) return; // not for every token
    this.#window = this.#window.slice(excess);
    this.#start += excess;
  }
}

function lastSentenceEnd(text: string): number {
  let end = 0;
  for (const match of text.matchAll(sentenceEnd)) end = match.index + match[0].length;
  return end;
}

function piecesOf(text: string, from: number, to: number, edits: readonly Edit[]): Piece[] {
  const pieces: Piece[] = [];
  const plain = (end: number) => {
    if (end > from) pieces.push({ source: text.slice(from, end), shown: text.slice(from, end) });
  };
  for (const { start, end, replacement } of edits) {
    plain(start);
    pieces.push({ source: text.slice(start, end), shown: replacement });
    from = end;
  }
  plain(to);
  return pieces;
}

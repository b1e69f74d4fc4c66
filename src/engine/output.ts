import { Detokenizer, type Pieces } from './detokenizer.js';
import { StopMatcher, type StopPatterns } from './stop.js';

/** One choice's text: tokens in, text out that is whole UTF-8 and no part of a stop string. */
export class OutputText {
  /** The stop string that ended the text. */
  stop: string | null = null;
  private readonly detokenizer: Detokenizer;
  private readonly matcher: StopMatcher;

  constructor(pieces: Pieces, stops: StopPatterns, preserved: ReadonlySet<number>) {
    this.detokenizer = new Detokenizer(pieces, preserved);
    this.matcher = new StopMatcher(stops);
  }

  push(token: number): string {
    return this.match(this.detokenizer.push(token));
  }

  /** The rest, when no further token comes. */
  end(): string {
    if (this.stop !== null) return '';
    const rest = this.match(this.detokenizer.flush());
    return this.stop === null ? rest + this.matcher.flush() : rest;
  }

  private match(piece: string): string {
    if (piece === '') return '';
    const { text, stop } = this.matcher.push(piece);
    this.stop = stop;
    return text;
  }
}

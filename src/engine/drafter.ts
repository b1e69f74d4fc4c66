import { gramSize, NgramIndex } from './ngram-index.js';

const decay = 0.95; // of what was seen, with each further token: acceptance follows the text
const prior = { hits: 1, tries: 2 };

/** How often drafts were right, by the length of the match they came from: 2, 3–4, 5–8, 9–16, 17 and more tokens. */
class Acceptance {
  private readonly hits = new Float64Array(5).fill(prior.hits);
  private readonly tries = new Float64Array(5).fill(prior.tries);

  rate(match: number): number {
    const at = this.classOf(match);
    return this.hits[at]! / this.tries[at]!;
  }

  observe(match: number, isRight: boolean): void {
    const at = this.classOf(match);
    this.hits[at] = this.hits[at]! * decay + (isRight ? 1 : 0);
    this.tries[at] = this.tries[at]! * decay + 1;
  }

  private classOf(match: number): number {
    return Math.min(this.hits.length - 1, 31 - Math.clz32(match - 1));
  }
}

/**
 * Guesses how one sequence goes on: as it did where its last tokens stood before (prompt lookup). Each guess is
 * compared with the token that came, also when it wasn't computed; so acceptance is known before drafts cost anything,
 * and they come back when they would be right again.
 */
export class Drafter {
  /** The guess: the first `proposed` tokens. */
  readonly tokens: Int32Array;
  proposed = 0;
  /** How many of them this step computes. */
  planned = 0;
  private match = gramSize; // tokens before the guess that agree with its source
  private readonly index = new NgramIndex();
  private readonly acceptance = new Acceptance();

  constructor(maxTokens: number) {
    this.tokens = new Int32Array(maxTokens);
  }

  /** A new guess of what follows tokens[0, length), at most `most` tokens. */
  propose(tokens: Int32Array, length: number, most: number): void {
    this.planned = 0;
    this.proposed = 0;
    const found = this.index.find(tokens, length);
    if (found === null) return;
    this.match = found.length;
    this.proposed = Math.min(most, this.tokens.length);
    for (let i = 0; i < this.proposed; i++) {
      const from = found.next + i;
      this.tokens[i] = from < length ? tokens[from]! : this.tokens[from - length]!; // a text that repeats itself
    }
  }

  /** The chance that token `depth` of the guess is right if those before it are. */
  chance(depth: number): number {
    return this.acceptance.rate(this.match + depth);
  }

  /** Token `depth` of the guess turned out to be `token`. True where the one after it has been computed rightly too. */
  verify(depth: number, token: number): boolean {
    if (depth >= this.proposed) return false;
    const isRight = this.tokens[depth] === token;
    this.acceptance.observe(this.match + depth, isRight);
    return isRight && depth < this.planned;
  }

  /** The guess is used up. */
  clear(): void {
    this.planned = 0;
    this.proposed = 0;
  }
}

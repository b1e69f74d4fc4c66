/** Tokens that must agree for an earlier place to be looked at. */
export const gramSize = 2;

const maxCandidates = 16; // earlier places compared, the latest first
const maxMatch = 32; // tokens compared at each

export interface Match {
  /** Where the tokens that followed begin. */
  next: number;
  /** How many tokens before it equal the end of the text. */
  length: number;
}

/**
 * Where the end of a text has stood before: hash chains over pairs of tokens, as LZ77 has them. Grows with the text.
 * extend is O(new tokens), find O(1); 8 to 16 bytes a token.
 */
export class NgramIndex {
  private heads = new Int32Array(64); // by hash: the position behind its last pair; 0: none
  private earlier = new Int32Array(64); // by position: the position before it in the same chain
  private indexed = gramSize; // positions below are in the chains

  /** The longest of the latest earlier occurrences of the text's end; null where there is none. */
  find(tokens: Int32Array, length: number): Match | null {
    if (length <= gramSize) return null;
    this.extend(tokens, length);
    let best: Match | null = null;
    let next = this.heads[this.hash(tokens, length)]!;
    for (let looked = 0; next > 0 && looked < maxCandidates; looked++) {
      const match = matchLength(tokens, next, length);
      if (match >= gramSize && match > (best?.length ?? 0)) best = { next, length: match };
      next = this.earlier[next]!;
    }
    return best;
  }

  /** Positions that a token follows, that is all but the last. */
  private extend(tokens: Int32Array, length: number): void {
    if (length > this.heads.length) this.grow(length);
    for (; this.indexed < length; this.indexed++) {
      const hash = this.hash(tokens, this.indexed);
      this.earlier[this.indexed] = this.heads[hash]!;
      this.heads[hash] = this.indexed;
    }
  }

  private grow(length: number): void {
    const size = 2 ** Math.ceil(Math.log2(length + 1));
    this.heads = new Int32Array(size);
    this.earlier = new Int32Array(size);
    this.indexed = gramSize;
  }

  /** Of the pair that ends before `position`. */
  private hash(tokens: Int32Array, position: number): number {
    const mixed = Math.imul(Math.imul(tokens[position - 2]!, 0x9e3779b1) ^ tokens[position - 1]!, 0x85ebca6b);
    return (mixed ^ (mixed >>> 15)) & (this.heads.length - 1);
  }
}

function matchLength(tokens: Int32Array, a: number, b: number): number {
  const most = Math.min(a, maxMatch);
  let length = 0;
  while (length < most && tokens[a - 1 - length] === tokens[b - 1 - length]) length++;
  return length;
}

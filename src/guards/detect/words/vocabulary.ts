import { randomInt } from 'node:crypto';

const MAX_TERMS = 20_000;
const MAX_UNITS = 400_000; // of all words together
const FIRST_ROOM = 4_096;

/**
 * Numbers the words of texts, which repeat them, so that what is known of a word is found by its number. Forgets everything when full, so that
 * hostile texts can't fill memory: numbers hold until the next text is read.
 */
export class Vocabulary {
  #size = 0;
  /** By place: the number of the word that stands there, plus one. */
  #places = new Int32Array(4 * FIRST_ROOM);
  #keys = new Int32Array(FIRST_ROOM); // by number
  /** By number: where its units begin; those of the next begin where they end. */
  #begins = new Int32Array(FIRST_ROOM + 1);
  #units = new Uint16Array(8 * FIRST_ROOM);
  readonly #memos: TermMemo[] = [];

  constructor(private readonly maxTerms = MAX_TERMS) {}

  /** To be called before a text is read. */
  makeRoom(): void {
    if (this.#size < this.maxTerms && this.#begins[this.#size]! < MAX_UNITS) return;
    this.#places.fill(0);
    this.#size = 0;
    for (const memo of this.#memos) memo.forget();
  }

  /** The number of the word of `length` units. */
  of(word: Uint16Array, length: number): number {
    const key = keyOf(word, length);
    let place = this.#placeOf(key);
    for (let term = this.#places[place]! - 1; term >= 0; term = this.#places[place]! - 1) {
      if (this.#keys[term] === key && this.#is(term, word, length)) return term;
      place = (place + 1) & (this.#places.length - 1);
    }
    return this.#add(word, length, key, place);
  }

  textOf(term: number): string {
    const units = this.#units.subarray(this.#begins[term]!, this.#begins[term + 1]!);
    return Buffer.from(units.buffer, units.byteOffset, units.byteLength).toString('utf16le');
  }

  /** `width` numbers for each word, computed when first asked for. */
  memo(width: number, compute: (word: string, into: Int32Array, at: number) => void): TermMemo {
    const memo = new TermMemo(width, (term, into, at) => compute(this.textOf(term), into, at));
    memo.grow(this.#keys.length);
    this.#memos.push(memo);
    return memo;
  }

  #placeOf(key: number): number {
    return key & (this.#places.length - 1);
  }

  #is(term: number, word: Uint16Array, length: number): boolean {
    const from = this.#begins[term]!;
    if (this.#begins[term + 1]! - from !== length) return false;
    for (let at = 0; at < length; at += 1) if (this.#units[from + at] !== word[at]) return false;
    return true;
  }

  #add(word: Uint16Array, length: number, key: number, place: number): number {
    const term = this.#size;
    const from = this.#begins[term]!;
    if (from + length > this.#units.length) {
      const units = new Uint16Array(2 * (from + length));
      units.set(this.#units);
      this.#units = units;
    }
    this.#units.set(word.subarray(0, length), from);
    this.#begins[term + 1] = from + length;
    this.#keys[term] = key;
    this.#places[place] = term + 1;
    this.#size += 1;
    if (this.#size === this.#keys.length) this.#grow();
    return term;
  }

  #grow(): void {
    const room = 2 * this.#keys.length;
    this.#keys = grown(this.#keys, room);
    this.#begins = grown(this.#begins, room + 1);
    this.#places = new Int32Array(4 * room);
    for (let term = 0; term < this.#size; term += 1) {
      let place = this.#placeOf(this.#keys[term]!);
      while (this.#places[place] !== 0) place = (place + 1) & (this.#places.length - 1);
      this.#places[place] = term + 1;
    }
    for (const memo of this.#memos) memo.grow(room);
  }
}

/** Numbers that are computed once for each word that is remembered. */
class TermMemo {
  values = new Int32Array(0);
  #isKnown = new Uint8Array(0);

  constructor(
    private readonly width: number,
    private readonly compute: (term: number, into: Int32Array, at: number) => void,
  ) {}

  /** Where those of a word begin in `values`. */
  at(term: number): number {
    const at = term * this.width;
    if (this.#isKnown[term] === 0) {
      this.compute(term, this.values, at);
      this.#isKnown[term] = 1;
    }
    return at;
  }

  grow(terms: number): void {
    const isKnown = new Uint8Array(terms);
    isKnown.set(this.#isKnown);
    this.#isKnown = isKnown;
    this.values = grown(this.values, terms * this.width);
  }

  forget(): void {
    this.#isKnown.fill(0);
  }
}

export type { TermMemo };

/** Nobody who writes a text knows which words meet in one place. */
const seed = randomInt(2 ** 32);
const factor = randomInt(2 ** 31) * 2 + 1;

function keyOf(word: Uint16Array, length: number): number {
  let key = seed;
  for (let at = 0; at < length; at += 1) {
    key = Math.imul(key ^ word[at]!, factor);
    key ^= key >>> 15;
  }
  return key;
}

function grown(from: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const to = new Int32Array(length);
  to.set(from);
  return to;
}

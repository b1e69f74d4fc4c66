const FIRST_ROOM = 16;
const KEPT = -1;

/** What the parts of a text stand for in its source, by columns, in order. */
export class Pieces {
  #count = 0;
  #begins = new Int32Array(FIRST_ROOM); // in the text
  #starts = new Int32Array(FIRST_ROOM); // in the source
  #ends = new Int32Array(FIRST_ROOM); // in the source; KEPT where each unit stands for one

  /** From `begin` on, `length` units stand for all of [start, end). */
  add(begin: number, length: number, start: number, end: number): void {
    if (length === 1 && end - start === 1) this.keep(begin, start);
    else this.#push(begin, start, end);
  }

  /** From `begin` on, each unit stands for one, from `start` on. */
  keep(begin: number, start: number): void {
    const last = this.#count - 1;
    const goesOn =
      last >= 0 && this.#ends[last] === KEPT && start - this.#starts[last]! === begin - this.#begins[last]!;
    if (!goesOn) this.#push(begin, start, KEPT);
  }

  /** The span that a unit of the text stands for. */
  sourceOf(unit: number): { start: number; end: number } {
    let piece = 0;
    for (let high = this.#count; high - piece > 1; ) {
      const middle = (piece + high) >> 1;
      if (this.#begins[middle]! <= unit) piece = middle;
      else high = middle;
    }
    const start = this.#starts[piece]!;
    const end = this.#ends[piece]!;
    if (end !== KEPT) return { start, end };
    const at = start + unit - this.#begins[piece]!;
    return { start: at, end: at + 1 };
  }

  #push(begin: number, start: number, end: number): void {
    if (this.#count === this.#begins.length) {
      this.#begins = grown(this.#begins);
      this.#starts = grown(this.#starts);
      this.#ends = grown(this.#ends);
    }
    this.#begins[this.#count] = begin;
    this.#starts[this.#count] = start;
    this.#ends[this.#count] = end;
    this.#count += 1;
  }
}

function grown(from: Int32Array): Int32Array<ArrayBuffer> {
  const to = new Int32Array(2 * from.length);
  to.set(from);
  return to;
}

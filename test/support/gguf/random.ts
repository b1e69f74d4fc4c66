/** A small seeded generator (splitmix32): integer arithmetic only, so every machine draws the same numbers. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Uniform in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  }

  /** `count` numbers of mean 0 and the given standard deviation, uniform. */
  spread(count: number, deviation: number): Float32Array {
    const width = 2 * Math.sqrt(3) * deviation;
    return Float32Array.from({ length: count }, () => (this.next() - 0.5) * width);
  }
}

/** Mean of the last values. */
export class RollingMean {
  readonly #max: number;
  readonly #values: number[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  add(value: number): void {
    this.#values.push(value);
    if (this.#values.length > this.#max) this.#values.shift();
  }

  /** Null until there are as many values as it is taken over. */
  get mean(): number | null {
    if (this.#values.length < this.#max) return null;
    return this.#values.reduce((sum, value) => sum + value, 0) / this.#max;
  }
}

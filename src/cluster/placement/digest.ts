/** Names of the prefixes that a worker has computed lately and likely still holds, the longest unused forgotten first. */
export class PrefixDigest {
  readonly #capacity: number;
  readonly #names = new Map<number, true>(); // in order of use

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  add(names: readonly number[]): void {
    for (const name of names) {
      this.#names.delete(name);
      this.#names.set(name, true);
    }
    for (const oldest of this.#names.keys()) {
      if (this.#names.size <= this.#capacity) break;
      this.#names.delete(oldest);
    }
  }

  has(name: number): boolean {
    return this.#names.has(name);
  }

  names(): Uint32Array {
    return Uint32Array.from(this.#names.keys());
  }
}

import usearch from 'usearch';

export interface Neighbour {
  id: number;
  cosine: number;
}

const initialRows = 4;

/**
 * Vectors of length 1, by scope; only those of one scope are compared. All of a scope are: O(n), exact, and without the upkeep of a
 * graph. A scope of more than some 100,000 would be worth one.
 */
export class VectorIndex {
  readonly #scopes = new Map<string, Scope>();
  readonly #scopeOf = new Map<number, string>();

  get size(): number {
    return this.#scopeOf.size;
  }

  ids(): IterableIterator<number> {
    return this.#scopeOf.keys();
  }

  has(id: number): boolean {
    return this.#scopeOf.has(id);
  }

  /** Ignores a vector of another length than the scope's. */
  add(scope: string, id: number, vector: Float32Array): void {
    const vectors = this.#scopes.get(scope) ?? new Scope(vector.length);
    if (vectors.dimensions !== vector.length) return;
    vectors.add(id, vector);
    this.#scopes.set(scope, vectors);
    this.#scopeOf.set(id, scope);
  }

  remove(id: number): void {
    const scope = this.#scopeOf.get(id);
    if (scope === undefined) return;
    this.#scopeOf.delete(id);
    const vectors = this.#scopes.get(scope)!;
    vectors.remove(id);
    if (vectors.size === 0) this.#scopes.delete(scope);
  }

  /** The nearest first. */
  search(scope: string, vector: Float32Array, count: number): Neighbour[] {
    const vectors = this.#scopes.get(scope);
    return vectors && vectors.dimensions === vector.length ? vectors.search(vector, count) : [];
  }
}

/** Rows without gaps: the last one takes the place of one that goes. */
class Scope {
  readonly dimensions: number;
  readonly #ids: number[] = [];
  #rows: Float32Array;

  constructor(dimensions: number) {
    this.dimensions = dimensions;
    this.#rows = new Float32Array(initialRows * dimensions);
  }

  get size(): number {
    return this.#ids.length;
  }

  add(id: number, vector: Float32Array): void {
    const at = this.#ids.push(id) - 1;
    if ((at + 1) * this.dimensions > this.#rows.length) {
      const larger = new Float32Array(this.#rows.length * 2);
      larger.set(this.#rows);
      this.#rows = larger;
    }
    this.#rows.set(vector, at * this.dimensions);
  }

  remove(id: number): void {
    const at = this.#ids.indexOf(id);
    const last = this.#ids.length - 1;
    this.#rows.copyWithin(at * this.dimensions, last * this.dimensions, (last + 1) * this.dimensions);
    this.#ids[at] = this.#ids[last]!;
    this.#ids.pop();
  }

  search(vector: Float32Array, count: number): Neighbour[] {
    const rows = this.#rows.subarray(0, this.#ids.length * this.dimensions);
    const matches = usearch.exactSearch(
      rows,
      Float32Array.from(vector),
      this.dimensions,
      Math.min(count, this.#ids.length),
      usearch.MetricKind.IP,
      1,
    ) as { keys: BigUint64Array; distances: Float32Array };
    return Array.from(matches.keys, (row, i) => ({
      id: this.#ids[Number(row)]!,
      cosine: 1 - matches.distances[i]!,
    }));
  }
}

import { dot } from '../../support/dot.js';
/** Vectors of length 1, one for each text. */
export type Embed = (texts: readonly string[], signal: AbortSignal) => Promise<Float32Array[]>;

export interface KnownText {
  text: string;
  category: string;
}

export interface Neighbour {
  category: string;
  cosine: number;
}

/** Requests wait no longer for an operator's long list. */
const BATCH = 32;

/** Known texts by their vectors; the nearest of each category is found by looking at all: some thousands at most. */
export class Neighbours {
  private constructor(
    private readonly known: readonly KnownText[],
    private readonly vectors: readonly Float32Array[],
  ) {}

  static async of(known: readonly KnownText[], embed: Embed, signal: AbortSignal): Promise<Neighbours> {
    const vectors: Float32Array[] = [];
    for (let from = 0; from < known.length; from += BATCH) {
      const batch = known.slice(from, from + BATCH);
      vectors.push(
        ...(await embed(
          batch.map(({ text }) => text),
          signal,
        )),
      );
    }
    return new Neighbours(known, vectors);
  }

  /** The nearest known text of each category, the nearest category first. */
  nearest(vector: Float32Array): Neighbour[] {
    const best = new Map<string, number>();
    for (const [index, { category }] of this.known.entries()) {
      const cosine = dot(vector, this.vectors[index]!);
      if (cosine > (best.get(category) ?? Number.NEGATIVE_INFINITY)) best.set(category, cosine);
    }
    return Array.from(best, ([category, cosine]) => ({ category, cosine })).sort(
      (a, b) => b.cosine - a.cosine,
    );
  }
}

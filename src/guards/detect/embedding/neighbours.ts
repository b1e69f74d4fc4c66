/** Texts to vectors, one each, all of one length; need not be normalised. */
export type Embed = (texts: string[]) => Promise<Float32Array[]>;

export interface KnownText {
  text: string;
  category: string;
}

export interface Neighbour {
  category: string;
  similarity: number; // cosine, −1 to 1
  index: number; // of the known text
}

const BATCH = 32;

/** Known texts by their embeddings; the nearest of each category is found by looking at all: some thousands at most. */
export class Neighbours {
  private constructor(
    private readonly known: readonly KnownText[],
    private readonly vectors: readonly Float32Array[],
    private readonly embed: Embed,
  ) {}

  static async of(known: readonly KnownText[], embed: Embed): Promise<Neighbours> {
    const vectors: Float32Array[] = [];
    for (let from = 0; from < known.length; from += BATCH) {
      const batch = known.slice(from, from + BATCH);
      vectors.push(...(await embed(batch.map(({ text }) => text))).map(unit));
    }
    return new Neighbours(known, vectors, embed);
  }

  /** With an operator's own texts beside what is known already. */
  async extended(more: readonly KnownText[]): Promise<Neighbours> {
    const added = await Neighbours.of(more, this.embed);
    return new Neighbours([...this.known, ...more], [...this.vectors, ...added.vectors], this.embed);
  }

  /** The nearest known text of each category, the nearest category first. */
  async nearest(text: string): Promise<Neighbour[]> {
    const [vector] = await this.embed([text]);
    const wanted = unit(vector!);
    const best = new Map<string, Neighbour>();
    for (const [index, { category }] of this.known.entries()) {
      const similarity = dot(wanted, this.vectors[index]!);
      if (similarity > (best.get(category)?.similarity ?? Number.NEGATIVE_INFINITY))
        best.set(category, { category, similarity, index });
    }
    return [...best.values()].sort((a, b) => b.similarity - a.similarity);
  }
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.sqrt(dot(vector, vector));
  return length === 0 ? vector : vector.map((value) => value / length);
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < a.length; index += 1) sum += a[index]! * b[index]!;
  return sum;
}

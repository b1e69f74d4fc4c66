import { disagreement, isDoubtful } from '../../src/cache/semantic/gate/gate.js';
import type { Embedder } from '../../src/embedding/index.js';
import { dot } from '../../src/support/dot.js';
import { nearKinds, type Pair } from './pair.js';

/** A pair as the cache sees it. */
export interface Judged extends Pair {
  cosine: number;
  agrees: boolean; // in its words
  isDoubtful: boolean; // they differ as words of questions that are the same may
}

const chunkTexts = 256;

export async function judge(
  pairs: readonly Pair[],
  embedder: Embedder,
  onProgress: (done: number, of: number) => void,
): Promise<Judged[]> {
  const texts = [...new Set(pairs.flatMap(({ first, second }) => [first, second]))];
  const vectors = new Map<string, Float32Array>();
  for (let from = 0; from < texts.length; from += chunkTexts) {
    const chunk = texts.slice(from, from + chunkTexts);
    const made = await embedder.embed(chunk, new AbortController().signal);
    for (const [i, vector] of made.entries()) vectors.set(chunk[i]!, vector);
    onProgress(vectors.size, texts.length);
  }
  return pairs.map((pair) => {
    const reason = disagreement(pair.first, pair.second);
    const cosine = dot(vectors.get(pair.first)!, vectors.get(pair.second)!);
    return { ...pair, cosine, agrees: reason === null, isDoubtful: isDoubtful(reason) };
  });
}

/** The same, where somebody is asked about doubtful pairs that are near enough. */
export async function crossChecked(
  judged: readonly Judged[],
  minCosine: number,
  isSame: (pair: Pair) => Promise<boolean>,
): Promise<Judged[]> {
  const checked: Judged[] = [];
  for (const pair of judged) {
    const isAsked = pair.isDoubtful && pair.cosine >= minCosine;
    checked.push(isAsked ? { ...pair, agrees: await isSame(pair) } : pair);
  }
  return checked;
}

export interface Rate {
  count: number;
  of: number;
}

export interface Scores {
  hits: Rate; // of pairs that ask the same
  falseHits: Rate; // of near-duplicates
}

/** `gated` false: by the distance of the vectors alone. */
export function scoresAt(judged: readonly Judged[], minCosine: number, gated: boolean): Scores {
  const isHit = ({ cosine, agrees }: Judged) => cosine >= minCosine && (agrees || !gated);
  const rate = (group: readonly Judged[]) => ({ count: group.filter(isHit).length, of: group.length });
  return {
    hits: rate(judged.filter(({ kind }) => kind === 'same')),
    falseHits: rate(judged.filter(({ kind }) => kind !== 'same')),
  };
}

/** False hits by what the near-duplicate differs in. */
export function falseHitsByKind(judged: readonly Judged[], minCosine: number): [string, Rate][] {
  return nearKinds.map((kind) => {
    const ofKind = judged.filter((pair) => pair.kind === kind);
    return [kind, scoresAt(ofKind, minCosine, true).falseHits];
  });
}

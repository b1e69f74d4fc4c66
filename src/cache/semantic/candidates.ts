import type { AskedQuestion } from './asked.js';
import { type Disagreement, disagreement } from './gate/gate.js';
import type { VectorIndex } from './vector-index.js';

/** How many of the nearest questions a look-up looks at. */
const CANDIDATES = 16;

/** A question that was asked before; the key is its answer's. */
export interface KnownQuestion {
  key: string;
  text: string;
}

export interface Candidate extends KnownQuestion {
  cosine: number;
}

/** Whether a question will do, by how its words differ from those that are asked. */
export type Judgement = (reason: Disagreement | null) => boolean;

export const agrees: Judgement = (reason) => reason === null;

/** Questions that are near enough and will do, the nearest first. `questionOf` has none for an id that is gone. */
export function* candidates(
  index: VectorIndex,
  questionOf: (id: number) => KnownQuestion | undefined,
  { scope, text, vector }: AskedQuestion,
  minCosine: number,
  willDo: Judgement,
): Generator<Candidate> {
  for (const { id, cosine } of index.search(scope, vector, CANDIDATES)) {
    if (cosine < minCosine) return;
    const known = questionOf(id);
    if (known && willDo(disagreement(known.text, text))) yield { ...known, cosine };
  }
}

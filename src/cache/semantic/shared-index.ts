import type { AskedQuestion } from './asked.js';
import { type Disagreement, disagreement, isDoubtful } from './gate/gate.js';
import { CANDIDATES, VectorIndex } from './vector-index.js';

/** A question as the index of one gateway knows it; its answer is elsewhere. */
export interface IndexRow extends AskedQuestion {
  expiresAtMs: number; // epoch
}

/** What has become of a question: null where it is gone. */
export interface IndexChange {
  key: string;
  row: IndexRow | null;
}

export type SharedIndex = ReturnType<typeof openSharedIndex>;

/** The questions of all gateways, by their vectors. To apply a change twice is to apply it once. */
export function openSharedIndex() {
  const index = new VectorIndex();
  const ids = new Map<string, number>(); // by key
  const rows = new Map<number, { key: string; text: string; expiresAtMs: number }>();
  let nextId = 1;

  const remove = (key: string) => {
    const id = ids.get(key);
    if (id === undefined) return;
    ids.delete(key);
    rows.delete(id);
    index.remove(id);
  };

  const nearest = (
    { scope, text, vector }: AskedQuestion,
    minCosine: number,
    nowMs: number,
    willDo: (reason: Disagreement | null) => boolean,
  ) => {
    const found: { key: string; cosine: number; text: string }[] = [];
    for (const { id, cosine } of index.search(scope, vector, CANDIDATES)) {
      if (cosine < minCosine) break;
      const { key, text: other, expiresAtMs } = rows.get(id)!;
      if (expiresAtMs <= nowMs) remove(key);
      else if (willDo(disagreement(other, text))) found.push({ key, cosine, text: other });
    }
    return found;
  };

  return {
    apply(changes: readonly IndexChange[]): void {
      for (const { key, row } of changes) {
        remove(key);
        if (row === null) continue;
        const id = nextId++;
        ids.set(key, id);
        rows.set(id, { key, text: row.text, expiresAtMs: row.expiresAtMs });
        index.add(row.scope, id, row.vector);
      }
    },

    keepOnly(keys: readonly string[]): void {
      const kept = new Set(keys);
      for (const key of [...ids.keys()]) if (!kept.has(key)) remove(key);
    },

    /** The questions that are near enough and whose words agree, the nearest first. */
    find: (asked: AskedQuestion, minCosine: number, nowMs: number) =>
      nearest(asked, minCosine, nowMs, (reason) => reason === null),

    /** Those whose words differ so that the gate can't tell. */
    findDoubtful: (asked: AskedQuestion, minCosine: number, nowMs: number) =>
      nearest(asked, minCosine, nowMs, isDoubtful),

    keys: (): string[] => [...ids.keys()],
    close: () => undefined,
  };
}

import type { AskedQuestion } from './asked.js';
import { agrees, candidates, type Judgement, type KnownQuestion } from './candidates.js';
import { isDoubtful } from './gate/gate.js';
import { VectorIndex } from './vector-index.js';

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
  const rows = new Map<number, KnownQuestion & { expiresAtMs: number }>();
  let nextId = 1;

  const remove = (key: string) => {
    const id = ids.get(key);
    if (id === undefined) return;
    ids.delete(key);
    rows.delete(id);
    index.remove(id);
  };

  const nearest = (asked: AskedQuestion, minCosine: number, nowMs: number, willDo: Judgement) => {
    const questionOf = (id: number) => {
      const { key, text, expiresAtMs } = rows.get(id)!;
      if (expiresAtMs > nowMs) return { key, text };
      remove(key);
      return undefined;
    };
    return [...candidates(index, questionOf, asked, minCosine, willDo)];
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
      nearest(asked, minCosine, nowMs, agrees),

    /** Those whose words differ so that the gate can't tell. */
    findDoubtful: (asked: AskedQuestion, minCosine: number, nowMs: number) =>
      nearest(asked, minCosine, nowMs, isDoubtful),

    keys: (): string[] => [...ids.keys()],
    close: () => undefined,
  };
}

import type { TrialResult } from '../run/types.js';

/** A case with its repeats averaged: they are asked of the same case, so they aren't independent. */
export interface CaseScore {
  score: number;
  passRate: number;
  tags: readonly string[];
}

/** Cases that were scored at least once, by id. */
export function perCase(results: readonly TrialResult[]): Map<string, CaseScore> {
  const scored = new Map<string, TrialResult[]>();
  for (const result of results) {
    if (result.score === null) continue;
    scored.set(result.caseId, [...(scored.get(result.caseId) ?? []), result]);
  }
  return new Map(
    [...scored].map(([caseId, repeats]) => {
      const mean = (value: (result: TrialResult) => number) =>
        repeats.reduce((sum, result) => sum + value(result), 0) / repeats.length;
      const score = mean((result) => result.score!);
      return [
        caseId,
        { score, passRate: mean(({ status }) => Number(status === 'passed')), tags: repeats[0]!.tags },
      ];
    }),
  );
}

import type { Run } from '../run/types.js';
import { perCase } from './per-case.js';
import { type CompareOptions, type Comparison, comparePairs, type Pair } from './verdict.js';

export interface RunComparison {
  before: string; // ids of the runs
  after: string;
  comparisons: Comparison[]; // the whole suite first, then by tag
  changed: CaseChange[]; // cases whose score is another, the greatest fall first
  onlyBefore: number; // cases that the other run lacks, or couldn't score
  onlyAfter: number;
  isSameSuite: boolean;
}

export interface CaseChange {
  caseId: string;
  before: number; // score, repeats averaged
  after: number;
}

/** Compares the cases that both runs have scored. */
export function compareRuns(before: Run, after: Run, options: CompareOptions): RunComparison {
  const left = perCase(before.results);
  const right = perCase(after.results);
  const pairs: Pair[] = [];
  const changed: CaseChange[] = [];
  for (const [caseId, old] of left) {
    const now = right.get(caseId);
    if (!now) continue;
    if (now.score !== old.score) changed.push({ caseId, before: old.score, after: now.score });
    pairs.push({
      before: old.score,
      after: now.score,
      passedBefore: old.passRate,
      passedAfter: now.passRate,
      tags: now.tags,
    });
  }
  return {
    before: before.header.id,
    after: after.header.id,
    comparisons: comparePairs(pairs, options),
    changed: changed.sort(greatestFallFirst),
    onlyBefore: left.size - pairs.length,
    onlyAfter: right.size - pairs.length,
    isSameSuite: before.header.suiteHash === after.header.suiteHash,
  };
}

/** No case was scored in both runs. */
export function isEmpty({ comparisons }: RunComparison): boolean {
  return comparisons[0]!.cases === 0;
}

export function hasRegressed({ comparisons }: RunComparison): boolean {
  return comparisons.some(({ verdict }) => verdict === 'regressed');
}

const inNumericOrder = new Intl.Collator('en', { numeric: true });

function greatestFallFirst(a: CaseChange, b: CaseChange): number {
  return a.after - a.before - (b.after - b.before) || inNumericOrder.compare(a.caseId, b.caseId);
}

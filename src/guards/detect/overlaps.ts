import type { Finding } from '../finding.js';

/**
 * Findings that don't overlap, in order: a validated one beats one that isn't, then the longer, then the higher score, then the earlier in
 * `priority` (categories; those not named come last).
 */
export function resolveOverlaps<T extends Finding>(
  findings: readonly T[],
  priority: readonly string[] = [],
): T[] {
  const rank = new Map(priority.map((category, at) => [category, at]));
  const rankOf = ({ category }: Finding) => rank.get(category) ?? priority.length;
  const length = ({ start, end }: Finding) => end - start;
  const best = [...findings].sort(
    (a, b) =>
      Number(b.isValidated) - Number(a.isValidated) ||
      length(b) - length(a) ||
      b.score - a.score ||
      rankOf(a) - rankOf(b) ||
      a.start - b.start,
  );
  const kept: T[] = [];
  for (const finding of best) insert(kept, finding);
  return kept;
}

/** Keeps `kept` ascending; drops a finding that overlaps one that is there. */
function insert<T extends Finding>(kept: T[], finding: T): void {
  let low = 0;
  let high = kept.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (kept[middle]!.start < finding.start) low = middle + 1;
    else high = middle;
  }
  const before = kept[low - 1];
  const after = kept[low];
  if (before !== undefined && before.end > finding.start) return;
  if (after !== undefined && after.start < finding.end) return;
  kept.splice(low, 0, finding);
}

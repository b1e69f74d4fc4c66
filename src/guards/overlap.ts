import type { Finding } from './finding.js';

type Span = Pick<Finding, 'start' | 'end'>;

/**
 * One finding for each place: where some overlap, a proved one goes before the longer, the longer before the likelier, and
 * the likelier before the earlier. In ascending order.
 */
export function withoutOverlaps<T extends Finding>(findings: readonly T[]): T[] {
  return clustersOf(findings).flatMap((cluster) => {
    const kept: T[] = [];
    for (const finding of cluster.sort(byPriority)) {
      if (!kept.some((other) => finding.start < other.end && other.start < finding.end)) kept.push(finding);
    }
    return kept.sort((a, b) => a.start - b.start);
  });
}

/** Groups that overlap one another, directly or by others, in ascending order. */
export function clustersOf<T extends Span>(spans: readonly T[]): T[][] {
  const clusters: T[][] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const span of [...spans].sort((a, b) => a.start - b.start)) {
    if (span.start >= end) clusters.push([]);
    clusters.at(-1)!.push(span);
    end = Math.max(end, span.end);
  }
  return clusters;
}

function byPriority(a: Finding, b: Finding): number {
  return (
    Number(b.isValidated) - Number(a.isValidated) ||
    b.end - b.start - (a.end - a.start) ||
    b.score - a.score ||
    a.start - b.start
  );
}

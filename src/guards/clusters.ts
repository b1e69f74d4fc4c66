/** Groups of spans that overlap one another, directly or by others, in ascending order. */
export function clustersOf<T extends { start: number; end: number }>(spans: readonly T[]): T[][] {
  const clusters: T[][] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const span of [...spans].sort((a, b) => a.start - b.start)) {
    if (span.start >= end) clusters.push([]);
    clusters.at(-1)!.push(span);
    end = Math.max(end, span.end);
  }
  return clusters;
}

/** The last place up to `to` that cuts no group of spans in two. */
export function wholeUpTo(to: number, spans: readonly { start: number; end: number }[]): number {
  const split = clustersOf(spans).find(
    (cluster) => cluster[0]!.start < to && cluster.some(({ end }) => end > to),
  );
  return split?.at(0)?.start ?? to;
}

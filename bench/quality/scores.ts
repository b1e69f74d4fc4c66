export interface Judged {
  quality: number; // estimate, 0 to 1
  isGood: boolean;
}

/** Chance that a good answer is rated above a bad one, ties counting half (Mann and Whitney). 0.5 is guessing. */
export function areaUnderCurve(judged: readonly Judged[]): number {
  const good = judged.filter(({ isGood }) => isGood);
  const bad = judged.filter(({ isGood }) => !isGood);
  let wins = 0;
  for (const a of good)
    for (const b of bad) wins += a.quality > b.quality ? 1 : a.quality === b.quality ? 0.5 : 0;
  return wins / (good.length * bad.length);
}

/** Mean squared distance between estimate and truth; 0.25 is what always saying 0.5 gives. */
export function brierScore(judged: readonly Judged[]): number {
  return (
    judged.reduce((sum, { quality, isGood }) => sum + (quality - (isGood ? 1 : 0)) ** 2, 0) / judged.length
  );
}

/** What a cascade with this threshold would keep, and how much of that is good. */
export function atThreshold(
  judged: readonly Judged[],
  threshold: number,
): { kept: number; goodOfKept: number } {
  const kept = judged.filter(({ quality }) => quality >= threshold);
  const good = kept.filter(({ isGood }) => isGood);
  return { kept: kept.length / judged.length, goodOfKept: kept.length === 0 ? 0 : good.length / kept.length };
}

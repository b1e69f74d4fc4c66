/**
 * The fewest of `items` that still fail, by leaving out ever smaller runs of them (delta debugging, Zeller and
 * Hildebrandt, 2002): none of what is left can be left out alone.
 */
export function shrink<T>(items: readonly T[], fails: (kept: readonly T[]) => boolean): readonly T[] {
  let kept = items;
  for (let run = Math.ceil(kept.length / 2); run > 0; ) {
    const fewer = withoutSome(kept, run, fails);
    if (fewer === null) run = run === 1 ? 0 : Math.ceil(run / 2);
    else {
      kept = fewer;
      run = Math.min(run, kept.length);
    }
  }
  return kept;
}

function withoutSome<T>(
  items: readonly T[],
  run: number,
  fails: (kept: readonly T[]) => boolean,
): readonly T[] | null {
  for (let from = 0; from < items.length; from += run) {
    const fewer = items.filter((_, index) => index < from || index >= from + run);
    if (fails(fewer)) return fewer;
  }
  return null;
}

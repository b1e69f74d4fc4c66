import { seededRandom } from '../../support/random.js';
import { bootstrapMean, type Interval } from '../statistics/bootstrap.js';
import { mcnemar, signFlipLower } from '../statistics/exact.js';
import { type Hypothesis, holm } from '../statistics/holm.js';
import { casesNeeded } from '../statistics/power.js';

export type Verdict = 'regressed' | 'improved' | 'no evidence' | 'too few cases';

/** One case in both runs. */
export interface Pair {
  before: number; // score, repeats averaged
  after: number;
  passedBefore: number; // share of repeats
  passedAfter: number;
  tags: readonly string[];
}

export interface Comparison {
  tag: string | null; // null: all
  cases: number;
  before: number; // mean score
  after: number;
  change: number;
  interval: Interval; // of the change, 90 %: each side is a one-sided test at 5 %
  newlyPassed: number;
  newlyFailed: number;
  mcnemarP: number; // two-sided
  p: number; // one-sided, of the direction seen
  verdict: Verdict;
  casesNeeded: number; // that would tell the least effect from chance, 80 % of the time
}

export interface CompareOptions {
  minEffect: number; // smaller changes of the mean score are not called any
  alpha: number; // chance of calling anything a regression where nothing has changed
  seed: number;
  resamples: number; // of the bootstrap
  signDraws: number; // of the randomisation test, where scores are graded
}

export const defaultCompareOptions: CompareOptions = {
  minEffect: 0.05,
  alpha: 0.05,
  seed: 1,
  resamples: 2_000,
  signDraws: 20_000,
};

/** The whole suite is what is asked about first; tags share the rest until it is decided. */
const WHOLE_WEIGHT = 0.8;

/** The whole suite first, then its tags, all held to one error rate together, for regressions and for improvements. */
export function comparePairs(pairs: readonly Pair[], options: CompareOptions): Comparison[] {
  const tags = [...new Set(pairs.flatMap((pair) => pair.tags))].sort();
  const groups = [
    { tag: null, pairs: [...pairs] },
    ...tags.map((tag) => ({ tag, pairs: pairs.filter((pair) => pair.tags.includes(tag)) })),
  ];
  const random = seededRandom(options.seed);
  const differences = groups.map((group) => group.pairs.map(({ before, after }) => after - before));
  const weights = weightsOf(tags.length);
  const rejectedBy = (sign: 1 | -1) => {
    const ps = differences.map((values) =>
      signFlipLower(
        values.map((value) => sign * value),
        options.signDraws,
        random,
      ),
    );
    return { ps, isRejected: holm(weighted(ps, weights), options.alpha) };
  };
  const lower = rejectedBy(1);
  const higher = rejectedBy(-1);
  return groups.map((group, index) => {
    const values = differences[index]!;
    const change = mean(values);
    const needed = casesNeeded(values, options.minEffect, options.alpha * weights[index]!);
    const isFall = change < 0;
    const { ps, isRejected } = isFall ? lower : higher;
    const isCalled = isRejected[index]! && Math.abs(change) >= options.minEffect;
    return {
      tag: group.tag,
      cases: values.length,
      before: mean(group.pairs.map(({ before }) => before)),
      after: mean(group.pairs.map(({ after }) => after)),
      change,
      interval: bootstrapMean(values, { confidence: 0.9, resamples: options.resamples, random }),
      ...movedOf(group.pairs),
      p: ps[index]!,
      verdict: isCalled
        ? isFall
          ? 'regressed'
          : 'improved'
        : values.length < needed
          ? 'too few cases'
          : 'no evidence',
      casesNeeded: needed,
    };
  });
}

/** With repeats a case counts once, as better or worse: McNemar's test is then the sign test over cases. */
function movedOf(pairs: readonly Pair[]): Pick<Comparison, 'newlyPassed' | 'newlyFailed' | 'mcnemarP'> {
  const newlyPassed = pairs.filter(({ passedBefore, passedAfter }) => passedAfter > passedBefore).length;
  const newlyFailed = pairs.filter(({ passedBefore, passedAfter }) => passedAfter < passedBefore).length;
  return { newlyPassed, newlyFailed, mcnemarP: mcnemar(newlyPassed, newlyFailed) };
}

/** Shares of the error that the suite and each of its tags begin with. */
function weightsOf(tags: number): number[] {
  if (tags === 0) return [1];
  return [WHOLE_WEIGHT, ...new Array<number>(tags).fill((1 - WHOLE_WEIGHT) / tags)];
}

function weighted(ps: readonly number[], weights: readonly number[]): Hypothesis[] {
  return ps.map((p, index) => ({ p, weight: weights[index]! }));
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

import type { EstimateRow } from '../../store/index.js';

export interface CalibrationBin {
  estimated: number; // mean
  scored: number; // mean
  samples: number;
}

export interface Calibration {
  route: string;
  model: string;
  bins: CalibrationBin[];
}

const BINS = 5;

/**
 * How far the estimates of each step of a cascade are borne out: by bins of the estimate, the score that answers had afterwards. A
 * good estimator's bins lie on the diagonal.
 */
export function calibrationCurves(scores: readonly EstimateRow[]): Calibration[] {
  const steps = new Map<string, EstimateRow[]>();
  for (const score of scores) {
    const key = JSON.stringify([score.route, score.model]);
    const known = steps.get(key);
    if (known) known.push(score);
    else steps.set(key, [score]);
  }
  return [...steps.values()].map((step) => ({
    route: step[0]!.route,
    model: step[0]!.model,
    bins: binsOf(step),
  }));
}

function binsOf(scores: readonly EstimateRow[]): CalibrationBin[] {
  const bins = Array.from({ length: BINS }, () => ({ estimated: 0, scored: 0, samples: 0 }));
  for (const { estimated, scored } of scores) {
    const bin = bins[Math.min(BINS - 1, Math.floor(estimated * BINS))]!;
    bin.estimated += estimated;
    bin.scored += scored;
    bin.samples += 1;
  }
  return bins
    .filter(({ samples }) => samples > 0)
    .map(({ estimated, scored, samples }) => ({
      estimated: estimated / samples,
      scored: scored / samples,
      samples,
    }));
}

import type { LiveSample } from './sample.js';

export interface CalibrationBin {
  estimated: number; // mean of what the cascade estimated
  scored: number; // mean of what the answers turned out to be
  samples: number;
}

const BINS = 5;

/**
 * How far a cascade's estimates are borne out: by bins of the estimate, the score that answers had afterwards. A good estimator's
 * bins lie on the diagonal.
 */
export function calibrationCurve(
  samples: readonly Pick<LiveSample, 'quality' | 'score'>[],
): CalibrationBin[] {
  const bins = Array.from({ length: BINS }, () => ({ estimated: 0, scored: 0, samples: 0 }));
  for (const { quality, score } of samples) {
    if (quality === null || score === null) continue;
    const bin = bins[Math.min(BINS - 1, Math.floor(quality * BINS))]!;
    bin.estimated += quality;
    bin.scored += score;
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

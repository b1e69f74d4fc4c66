import { z } from 'zod';
import type { GuardUse } from '../../config/index.js';
import type { Detector } from '../detector.js';

export const confidenceOptions = z.strictObject({
  minMean: z.number().min(0).max(1).default(0.5), // mean probability of the answer's tokens
  minToken: z.number().min(0).max(1).default(0), // of its unlikeliest token
});

/** Answers that the model itself found unlikely. Rejects where their probabilities aren't known. */
export function confidenceDetector({ options }: GuardUse): Detector {
  const { minMean, minToken } = confidenceOptions.parse(options);
  return {
    find: (texts, { confidence }) => {
      if (!confidence) throw new Error('the model gave no log-probabilities');
      const isLow = confidence.mean < minMean || confidence.min < minToken;
      const score = 1 - confidence.mean;
      return texts.map(({ text }, index) => {
        if (!isLow || index > 0) return [];
        const detail = `mean ${confidence.mean.toFixed(3)}, least ${confidence.min.toFixed(3)}`;
        return [{ start: 0, end: text.length, category: 'low_confidence', score, isValidated: true, detail }];
      });
    },
  };
}

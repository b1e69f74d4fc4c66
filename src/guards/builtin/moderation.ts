import { z } from 'zod';
import type { GuardUse } from '../../config/index.js';
import { moderationClassifier, moderationThresholds } from '../detect/moderation/classifier.js';
import { classify, type Detector, type DetectorFinding, isWanted } from '../detector.js';

const moderationOptions = z.strictObject({
  all: z.boolean().default(false), // also what is below the threshold, as unsure
});

/** Harmful content, in OpenAI's categories; each has its own threshold unless the profile gives one for all. */
export function moderationDetector(use: GuardUse): Detector {
  const { all } = moderationOptions.parse(use.options);
  const thresholds = moderationThresholds();
  return {
    find: (texts) =>
      texts.map(({ text }) =>
        classify(moderationClassifier, text).flatMap((found): DetectorFinding[] => {
          if (!isWanted(found.category, use)) return [];
          if (found.score >= (use.threshold ?? thresholds[found.category] ?? 1)) return [found];
          return all ? [{ ...found, mode: 'unsure' }] : [];
        }),
      ),
  };
}

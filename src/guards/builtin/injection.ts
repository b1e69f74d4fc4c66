import { z } from 'zod';
import type { GuardUse } from '../../config/index.js';
import { injectionThreshold, judgeInjection } from '../detect/injection/classifier.js';
import { type Detector, type DetectorFinding, windowsOf } from '../detector.js';

const injectionOptions = z.strictObject({
  unsureFrom: z.number().min(0).max(1).default(1), // from here to the threshold a language_model may be asked
});

/** Long texts are read in parts: what is decoded of a text is bounded, and must not be used up before the attack comes. */
const PART = { length: 16_000, overlap: 1_000 };

/** Prompt injection and jailbreaks: the worst part of each text, where it reaches the threshold. */
export function injectionDetector({ options, threshold, categories }: GuardUse): Detector {
  const { unsureFrom } = injectionOptions.parse(options);
  const least = threshold ?? injectionThreshold();
  return {
    find: (texts) =>
      texts.map(({ text }) => {
        return verdictsOf(text)
          .filter(({ score, category }) => {
            return score >= Math.min(least, unsureFrom) && (categories?.includes(category) ?? true);
          })
          .map(({ view, ...verdict }): DetectorFinding => {
            const isUnsure = verdict.score < least;
            return { ...verdict, isValidated: false, detail: view, ...(isUnsure ? { mode: 'unsure' } : {}) };
          });
      }),
  };
}

/** Of the worst part of a text: the probability that it is an attack, by its words. */
export function injectionScore(text: string): number {
  return verdictsOf(text).reduce((most, { score }) => Math.max(most, score), 0);
}

function verdictsOf(text: string) {
  return [...windowsOf(text.length, PART)].map(({ start, end }) => {
    const { span, ...verdict } = judgeInjection(text.slice(start, end));
    return { ...verdict, start: start + span.start, end: start + span.end };
  });
}

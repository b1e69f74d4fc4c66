import { z } from 'zod';
import type { GuardUse } from '../../config/index.js';
import { injectionThreshold, judgeInjection } from '../detect/injection/classifier.js';
import { type Detector, windowsOf } from '../detector.js';

/** Long texts are read in parts: what is decoded of a text is bounded, and must not be used up before the attack comes. */
const PART = { length: 16_000, overlap: 1_000 };

/** Prompt injection and jailbreaks: the worst part of each text, where it reaches the threshold. */
export function injectionDetector({ options, threshold, categories }: GuardUse): Detector {
  z.strictObject({}).parse(options);
  const least = threshold ?? injectionThreshold();
  return {
    find: (texts) =>
      texts.map(({ text }) => {
        const verdicts = [...windowsOf(text.length, PART)].map(({ start, end }) => {
          const { span, ...verdict } = judgeInjection(text.slice(start, end));
          return { ...verdict, start: start + span.start, end: start + span.end };
        });
        return verdicts
          .filter(({ score, category }) => score >= least && (categories?.includes(category) ?? true))
          .map(({ view, ...verdict }) => ({ ...verdict, isValidated: false, detail: view }));
      }),
  };
}

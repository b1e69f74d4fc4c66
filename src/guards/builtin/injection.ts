import { z } from 'zod';
import type { GuardUse } from '../../config/index.js';
import { type InjectionVerdict, injectionThreshold, judgeInjection } from '../detect/injection/classifier.js';
import { type Detector, type DetectorFinding, windowsOf } from '../detector.js';

const injectionOptions = z.strictObject({
  unsureFrom: z.number().min(0).max(1).default(1), // from here to the threshold a language_model may be asked
});

/** Long texts are read in parts: what is decoded of a text is bounded, and must not be used up before the attack comes. */
const PART = { length: 16_000, overlap: 1_000 };

export interface InjectionInPart extends Omit<InjectionVerdict, 'span'> {
  start: number;
  end: number;
  part: number;
}

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
          .map(({ view, part: _, ...verdict }): DetectorFinding => {
            const isUnsure = verdict.score < least;
            const detail = view?.name ?? 'plain';
            return { ...verdict, isValidated: false, detail, ...(isUnsure ? { mode: 'unsure' } : {}) };
          });
      }),
  };
}

/** The worst of a text, by its words: `part` is where what the view was made of begins. */
export function injectionByWords(text: string): InjectionInPart {
  return verdictsOf(text).reduce((worst, verdict) => (verdict.score > worst.score ? verdict : worst), {
    ...judgeInjection(''),
    start: 0,
    end: 0,
    part: 0,
  });
}

function verdictsOf(text: string): InjectionInPart[] {
  return [...windowsOf(text.length, PART)].map(({ start, end }) => {
    const { span, ...verdict } = judgeInjection(text.slice(start, end));
    return { ...verdict, start: start + span.start, end: start + span.end, part: start };
  });
}

import { z } from 'zod';
import type { GuardUse } from '../../config/index.js';
import { injectionThreshold, judgeInjection } from '../detect/injection/classifier.js';
import { type Detector, type DetectorFinding, windowsOf } from '../detector.js';
import type { View } from '../normalise/views.js';

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
            const detail = view?.name ?? 'plain';
            return { ...verdict, isValidated: false, detail, ...(isUnsure ? { mode: 'unsure' } : {}) };
          });
      }),
  };
}

/** How bad the worst of a text is, by its words, and the view in which it is: of what begins at `part`. */
export interface InjectionByWords {
  score: number;
  view: View | null;
  part: number;
}

export function injectionByWords(text: string): InjectionByWords {
  let worst: InjectionByWords = { score: 0, view: null, part: 0 };
  for (const { start, end } of windowsOf(text.length, PART)) {
    const { score, view } = judgeInjection(text.slice(start, end));
    if (score > worst.score) worst = { score, view, part: start };
  }
  return worst;
}

function verdictsOf(text: string) {
  return [...windowsOf(text.length, PART)].map(({ start, end }) => {
    const { span, ...verdict } = judgeInjection(text.slice(start, end));
    return { ...verdict, start: start + span.start, end: start + span.end };
  });
}

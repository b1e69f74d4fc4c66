import type { GuardUse } from '../config/index.js';
import type { Classifier, Finding, Recogniser } from './finding.js';
import type { GuardContext, GuardText } from './types.js';

/** A finding for which the guard itself says what is to happen. */
export type DetectorFinding = Finding & { mode?: 'warn' | 'redact' | 'block' | 'unsure' };

/** What a worker runs for one guard of a profile. */
export interface Detector {
  /** The findings in each text. They may overlap. */
  find(
    texts: readonly GuardText[],
    context: GuardContext,
  ): DetectorFinding[][] | Promise<DetectorFinding[][]>;
  /** Of guards that find spans: what of a text that goes on may still become or change a finding. */
  open?: { from(text: string, context: GuardContext): number; lookAhead: number };
}

const DEFAULT_THRESHOLD = 0.5;

/** Long texts are classified in parts that overlap, so that nothing is diluted or hides at a border. */
const WINDOW = { length: 2_000, overlap: 400 };

export function recogniserDetector(recognisers: readonly Recogniser[], use: GuardUse): Detector {
  const wanted = recognisers.filter(({ categories }) =>
    categories.some((category) => isWanted(category, use)),
  );
  return {
    find: (texts) =>
      texts.map(({ text }) =>
        wanted.flatMap((recogniser) => recogniser.find(text)).filter((found) => counts(found, use)),
      ),
    open: {
      from: (text) =>
        Math.min(
          text.length,
          ...wanted.map((recogniser) =>
            Math.max(recogniser.openFrom(text), text.length - recogniser.maxSpan - recogniser.lookAhead),
          ),
        ),
      lookAhead: Math.max(0, ...wanted.map(({ lookAhead }) => lookAhead)),
    },
  };
}

/** Of each category the part with the highest score. */
export function classifierDetector(classifier: Classifier, use: GuardUse): Detector {
  return {
    find: (texts) =>
      texts.map(({ text }) => classify(classifier, text).filter((found) => counts(found, use))),
  };
}

export function classify(classifier: Classifier, text: string): Finding[] {
  const best = new Map<string, Finding>();
  for (const { start, end } of windowsOf(text.length, WINDOW)) {
    for (const { category, score } of classifier.score(text.slice(start, end))) {
      if (score <= (best.get(category)?.score ?? -1)) continue;
      best.set(category, { start, end, category, score, isValidated: false, detail: classifier.name });
    }
  }
  return [...best.values()];
}

/** Parts of a text that overlap. */
export function* windowsOf(
  length: number,
  window: { length: number; overlap: number },
): Generator<{ start: number; end: number }> {
  for (let start = 0; start < length; start += window.length - window.overlap) {
    const end = Math.min(length, start + window.length);
    yield { start, end };
    if (end === length) return;
  }
}

function counts({ category, score }: Finding, use: GuardUse): boolean {
  return score >= (use.threshold ?? DEFAULT_THRESHOLD) && isWanted(category, use);
}

/** A category stands for what is below it too: "hate" for "hate/threatening". */
export function isWanted(category: string, { categories }: GuardUse): boolean {
  return categories?.some((wanted) => category === wanted || category.startsWith(`${wanted}/`)) ?? true;
}

import { z } from 'zod';
import type { GuardUse } from '../../config/index.js';
import { findDisguised, literals } from '../detect/words/literals.js';
import { type Detector, recogniserDetector } from '../detector.js';

const keywordOptions = z.strictObject({
  words: z.record(z.string().min(1), z.array(z.string().min(1).max(256)).min(1).max(10_000)),
});

/** Words of the operator. What comes in is read as a reader sees it; an answer to the letter, so that it can stream. */
export function keywordDetector(use: GuardUse): Detector {
  const { words } = keywordOptions.parse(use.options);
  const recognisers = Object.entries(words).map(([category, list]) => literals(category, list));
  const disguised = recognisers.map((each) => ({
    ...each,
    find: (text: string) => findDisguised(each, text),
  }));
  const ofInput = recogniserDetector(disguised, use);
  const ofOutput = recogniserDetector(recognisers, use);
  return {
    ...ofOutput,
    find: (texts, context) => (context.stage === 'input' ? ofInput : ofOutput).find(texts, context),
  };
}

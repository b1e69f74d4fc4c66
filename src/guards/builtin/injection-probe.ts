import { z } from 'zod';
import type { GuardUse } from '../../config/index.js';
import { ProbeHead } from '../detect/probe/head.js';
import { type StateModel, StateReader } from '../detect/probe/reader.js';
import { shownIn } from '../detect/probe/shown.js';
import { weightsPath } from '../detect/weights-file.js';
import type { Detector, DetectorFinding } from '../detector.js';
import type { Span } from '../normalise/mapped-text.js';
import { when } from '../when.js';
import { injectionByWords } from './injection.js';

const NAME = 'injection-probe';

export const injectionProbeSchema = z.strictObject({ when: when.default('always') });

/** The model whose states it reads, as `models list` has it. */
export function probedModel(): string {
  return ProbeHead.load(NAME).header.model;
}

/** Prompt injection and jailbreaks, as a language model's middle layers and the classifier of words tell them together: the worst part of each text. */
export async function injectionProbeDetector(
  { threshold }: GuardUse,
  stateModel: StateModel | null,
): Promise<Detector> {
  const head = ProbeHead.load(NAME);
  const { model, layers, stateSize } = head.header;
  if (stateModel === null) throw new Error(`the model ${model} isn't there`);
  const reader = await StateReader.load(stateModel, { layers, adapter: weightsPath(`${NAME}.gguf`) });
  if (reader.size !== stateSize) throw new Error(`${stateModel.path} isn't the model ${model}`);
  const least = threshold ?? head.header.threshold;
  const judge = (text: string): DetectorFinding[] => {
    const byWords = injectionByWords(text);
    let worst: { span: Span; score: number } | null = null;
    for (const { mapped, offset } of shownIn(text, byWords))
      for (const { start, end, states } of reader.read(mapped.text)) {
        const score = head.score(states);
        if (score <= (worst?.score ?? Number.NEGATIVE_INFINITY)) continue;
        const original = mapped.original(start, end);
        worst = { span: { start: offset + original.start, end: offset + original.end }, score };
      }
    if (worst === null) return []; // nothing to read
    const score = head.probability(worst.score, byWords.score);
    if (score < least) return [];
    return [{ ...worst.span, score, category: 'prompt_injection', isValidated: false, detail: NAME }];
  };
  return { find: (texts) => texts.map(({ text }) => judge(text)) };
}

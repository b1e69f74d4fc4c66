import { overlap, words } from '../../support/word-overlap.js';
import type { DetectorFinding } from '../detector.js';
import type { Ask, GuardContext } from '../types.js';
import type { ConsistencyOptions } from './language-model.js';

/** Answers are sampled to about the length of the one that is checked. */
const LENGTH = { charactersPerToken: 3, least: 32, most: 1_024 };

/**
 * Has the question answered some times more, left to chance: what a model makes up it says another way each time (Wang et al.
 * 2022; Manakul et al. 2023). Agreement is the mean F-measure of the words. On the tab of who asked.
 */
export async function checkConsistency(
  ask: Ask,
  { model, samples, temperature, minAgreement }: ConsistencyOptions,
  text: string,
  { question }: GuardContext,
  signal: AbortSignal,
): Promise<DetectorFinding[]> {
  if (!question?.length) throw new Error('there is no question to ask again');
  const said = words(text);
  if (said.length === 0) return [];
  const tokens = Math.ceil(text.length / LENGTH.charactersPerToken);
  const maxTokens = Math.min(LENGTH.most, Math.max(LENGTH.least, tokens));
  const asked = { messages: [...question], grammar: null, maxTokens };
  const others = await Promise.all(
    Array.from({ length: samples }, (_, index) =>
      ask(model, { ...asked, sampling: { temperature, seed: index + 1 } }, signal),
    ),
  );
  const agreement = others.reduce((sum, other) => sum + overlap(said, words(other), 1), 0) / samples;
  if (agreement >= minAgreement) return [];
  const detail = `agreement ${agreement.toFixed(3)}`;
  return [
    {
      start: 0,
      end: text.length,
      category: 'inconsistent',
      score: 1 - agreement,
      isValidated: false,
      detail,
    },
  ];
}

import { tokenise } from './tokenise.js';

/**
 * Words that must come in this order, with others between: "ignore|disregard all|any|… previous|prior instruction*". Between two slots at most
 * `maxGap` words may stand. A slot's alternatives are words; `*` at an end stands for any ending, `_` within one joins several words
 * ("system_prompt"). Scripts without spaces join their characters by themselves.
 */
export interface Phrase<Label> {
  label: Label;
  slots: readonly (readonly Alternative[])[];
  maxGap: number;
}

export type Alternative = readonly { text: string; isPrefix: boolean }[];

const DEFAULT_GAP = 3;

/** `~N` at the beginning sets the gap. */
export function parsePhrase<Label>(written: string, label: Label): Phrase<Label> {
  const [first, ...others] = written.trim().split(/\s+/);
  const gap = /^~(\d+)$/.exec(first!);
  const slots = gap === null ? [first!, ...others] : others;
  return {
    label,
    maxGap: gap === null ? DEFAULT_GAP : Number(gap[1]),
    slots: slots.map((slot) => slot.split('|').map(alternative)),
  };
}

function alternative(written: string): Alternative {
  return written.split('_').flatMap((part) => {
    const isPrefix = part.endsWith('*');
    const words = tokenise(isPrefix ? part.slice(0, -1) : part).texts();
    return words.map((text, at) => ({ text, isPrefix: isPrefix && at === words.length - 1 }));
  });
}

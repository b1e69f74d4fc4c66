import type { TrimStrategy } from './types.js';

/** head_tail keeps this share of what is left from the beginning, and the rest from the end. */
const HEAD_SHARE = 0.25;

/** Something that can be cut by itself. */
export type Cut =
  | { kind: 'turn'; messages: number[] }
  | { kind: 'sentence'; message: number; sentence: number };

export interface Turn {
  messages: number[]; // a user's message and what was said until the next
}

export interface Outline {
  /** Turns that may go, oldest first; instructions and the last turn aren't among them. */
  turns: readonly Turn[];
  /** Sentences that may be cut of the last user message, or of a plain prompt. */
  last: { message: number; sentences: number };
  /** Every message whose sentences may be cut without breaking the conversation, in order. */
  texts: readonly { message: number; sentences: () => number }[];
}

/** The order in which a strategy cuts, until it fits. The very last sentence always stays: it is what is asked. */
export function* cutsOf(strategy: TrimStrategy, outline: Outline): Generator<Cut> {
  if (strategy === 'head_tail') {
    yield* aroundHead(outline);
    yield* outline.turns.map(turnCut);
    return;
  }
  const isMiddleOut = strategy === 'middle_out';
  for (const index of isMiddleOut ? fromMiddle(outline.turns.length) : oldestFirst(outline.turns.length)) {
    yield turnCut(outline.turns[index]!);
  }
  const { message, sentences } = outline.last;
  for (const sentence of isMiddleOut ? fromMiddle(sentences - 1) : oldestFirst(sentences - 1)) {
    yield { kind: 'sentence', message, sentence };
  }
}

/** Sentences of the whole conversation, those around the end of its first quarter first. */
function* aroundHead({ texts }: Outline): Generator<Cut> {
  const all: Cut[] = texts.flatMap(({ message, sentences }) =>
    Array.from({ length: sentences() }, (_, sentence) => ({ kind: 'sentence' as const, message, sentence })),
  );
  // What is cut grows from the border between head and tail to both sides, in the proportion of what they keep.
  const border = Math.floor(all.length * HEAD_SHARE);
  let head = border - 1;
  let tail = border;
  const lastIndex = all.length - 1; // stays
  while (head > 0 || tail < lastIndex) {
    const cutHead = border - 1 - head;
    const cutTail = tail - border;
    const isHeadsTurn = head > 0 && (tail >= lastIndex || cutHead < (cutHead + cutTail) * HEAD_SHARE);
    yield all[isHeadsTurn ? head-- : tail++]!;
  }
}

function turnCut({ messages }: Turn): Cut {
  return { kind: 'turn', messages };
}

function oldestFirst(count: number): number[] {
  return Array.from({ length: Math.max(0, count) }, (_, index) => index);
}

/** The middle first, the two ends last. */
function fromMiddle(count: number): number[] {
  const middle = (count - 1) / 2;
  return oldestFirst(count).sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle));
}

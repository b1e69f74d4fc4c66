import type { MappedText } from '../../normalise/mapped-text.js';
import { plainText } from '../../normalise/plain.js';
import type { View } from '../../normalise/views.js';

/** A text to be read instead of a part of the original, which begins at `offset`. */
export interface Shown {
  mapped: MappedText;
  offset: number;
}

/** The text as a reader sees it, and what it hides where its words are worst: the view that the classifier of words found there. */
export function shownIn(text: string, worst: { view: View | null; part: number }): Shown[] {
  const shown = [{ mapped: plainText(text), offset: 0 }];
  if (worst.view !== null && worst.view.name !== 'plain')
    shown.push({ mapped: worst.view.mapped, offset: worst.part });
  return shown;
}

import { diffWordsWithSpace } from 'diff';
import { escapeMarkup } from './markup.js';

/** Texts that differ in more words than this share too little to be shown word by word; it also bounds the time. */
const MOST_EDITS = 400;

/** Two texts as HTML, with the words marked that only one of them has. */
export function differenceMarkup(before: string, after: string): { before: string; after: string } {
  const parts = diffWordsWithSpace(before, after, { maxEditLength: MOST_EDITS });
  if (!parts) return { before: escapeMarkup(before), after: escapeMarkup(after) };
  const side = (own: 'added' | 'removed', other: 'added' | 'removed', tag: string) =>
    parts
      .filter((part) => !part[other])
      .map((part) => (part[own] ? `<${tag}>${escapeMarkup(part.value)}</${tag}>` : escapeMarkup(part.value)))
      .join('');
  return { before: side('removed', 'added', 'del'), after: side('added', 'removed', 'ins') };
}

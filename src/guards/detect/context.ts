/** How far before a candidate words are looked for that tell what it is, in UTF-16 units. */
export const LOOK_BEHIND = 48;

/** How far before `start` the nearest of the words ends; Infinity where none is near. */
export type Distance = (text: string, start: number) => number;

/** Whether words stand near at all. */
export function hasWordsBefore(text: string, start: number): boolean {
  return /\p{L}/u.test(text.slice(Math.max(0, start - LOOK_BEHIND), start));
}

/** Words in lower case with | between; a phrase is one, too. A word is found where one of the text begins with it. */
export function distanceTo(list: string): Distance {
  const words = list === '' ? [] : list.split('|');
  return (text, start) => {
    const before = text.slice(Math.max(0, start - LOOK_BEHIND), start).toLowerCase();
    if (!/\p{L}/u.test(before)) return Number.POSITIVE_INFINITY;
    let nearest = Number.POSITIVE_INFINITY;
    for (const word of words) nearest = Math.min(nearest, before.length - lastEnd(before, word));
    return nearest;
  };
}

/** Where the last word of `text` that begins with `word` has its end; -Infinity where there is none. */
function lastEnd(text: string, word: string): number {
  let at = text.lastIndexOf(word);
  while (at > 0 && /[\p{L}\p{N}]/u.test(text[at - 1]!)) at = text.lastIndexOf(word, at - 1);
  return at === -1 || (at === 0 && !text.startsWith(word)) ? Number.NEGATIVE_INFINITY : at + word.length;
}

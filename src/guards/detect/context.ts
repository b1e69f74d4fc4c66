import { isAlphanumeric, isLetter } from './open-run.js';

/** How far before a candidate words are looked for that tell what it is, in UTF-16 units. */
export const LOOK_BEHIND = 48;
const letter = /\p{L}/u;

/** How far before `start` the nearest of the words ends; Infinity where none is near. */
export type Distance = (text: string, start: number) => number;

/** Whether words stand near at all. */
export function hasWordsBefore(text: string, start: number): boolean {
  for (let at = Math.max(0, start - LOOK_BEHIND); at < start; at += 1) {
    const code = text.charCodeAt(at);
    if (isLetter(code)) return true;
    if (code >= 0x80) return letter.test(text.slice(at, start));
  }
  return false;
}

/** Words in lower case with | between; a phrase is one, too. A word is found where one of the text begins with it. */
export function distanceTo(list: string): Distance {
  const byFirst = new Map<number, string[]>();
  for (const word of list === '' ? [] : list.split('|')) {
    const first = word.charCodeAt(0);
    byFirst.set(first, [...(byFirst.get(first) ?? []), word]);
  }
  return (text, start) => {
    if (!hasWordsBefore(text, start)) return Number.POSITIVE_INFINITY;
    const before = text.slice(Math.max(0, start - LOOK_BEHIND), start).toLowerCase();
    let nearest = Number.POSITIVE_INFINITY;
    let isWithin = false;
    for (let at = 0; at < before.length; at += 1) {
      const unit = before.charCodeAt(at);
      if (!isWithin)
        for (const word of byFirst.get(unit) ?? [])
          if (before.startsWith(word, at)) nearest = Math.min(nearest, before.length - at - word.length);
      isWithin = isOfWord(unit);
    }
    return nearest;
  };
}

function isOfWord(unit: number): boolean {
  return unit < 0x80 ? isAlphanumeric(unit) : /[\p{L}\p{N}]/u.test(String.fromCharCode(unit));
}

import { kindAt, Unit, unitKind } from '../normalise/units.js';

/** How far before a candidate words are looked for that tell what it is, in UTF-16 units. */
export const LOOK_BEHIND = 48;

/** How far before `start` the nearest of the words ends; Infinity where none is near. */
export type Distance = (text: string, start: number) => number;

/**
 * Words in lower case with | between; a phrase is one, too, and all begin with a letter or digit. A word is found where one of the text begins
 * with it.
 */
export function distanceTo(list: string): Distance {
  const distances = distancesTo([list]);
  return (text, start) => distances(text, start)?.[0] ?? Number.POSITIVE_INFINITY;
}

/** The distances to the words of several lists, which hold until the next are asked for; null where no words stand near. */
export function distancesTo(lists: readonly string[]): (text: string, start: number) => Float64Array | null {
  const byFirst = new Map<number, { word: string; list: number }[]>();
  for (const [list, words] of lists.entries())
    for (const word of words === '' ? [] : words.split('|')) {
      const first = word.charCodeAt(0);
      byFirst.set(first, [...(byFirst.get(first) ?? []), { word, list }]);
    }
  const nearest = new Float64Array(lists.length);
  return (text, start) => {
    const { before, begins } = lookBehind(text, start);
    if (begins.length === 0) return null;
    nearest.fill(Number.POSITIVE_INFINITY);
    for (let index = 0; index < begins.length; index += 1) {
      const at = begins[index]!;
      const words = byFirst.get(before.charCodeAt(at));
      if (words === undefined) continue;
      for (const { word, list } of words)
        if (before.startsWith(word, at))
          nearest[list] = Math.min(nearest[list]!, before.length - at - word.length);
    }
    return nearest;
  };
}

/** What stands before a place. */
interface LookBehind {
  text: string;
  start: number;
  letterAt: number; // the nearest before it; −1: none is known
  before: string; // in lower case; empty without letters
  begins: readonly number[]; // of its words
}

/** The last one: many ask for the same, and the next mostly for one behind it. */
let last: LookBehind = { text: '', start: 0, letterAt: -1, before: '', begins: [] };

function lookBehind(text: string, start: number): LookBehind {
  const isSameText = last.text === text;
  if (isSameText && last.start === start) return last;
  const from = Math.max(0, start - LOOK_BEHIND);
  const isBehind = isSameText && last.start < start;
  let letterAt = letterIn(text, isBehind ? Math.max(from, last.start) : from, start);
  if (letterAt < 0 && isBehind) letterAt = last.letterAt;
  const before = letterAt >= from ? text.slice(from, start).toLowerCase() : '';
  last = { text, start, letterAt, before, begins: before === '' ? NONE : beginsIn(before) };
  return last;
}

const NONE: readonly number[] = [];

/** Where the last letter of a stretch is, or −1. */
function letterIn(text: string, from: number, to: number): number {
  let at = to - 1;
  while (at >= from && !(kindAt(text, at) & Unit.letter)) at -= 1;
  return at >= from ? at : -1;
}

function beginsIn(text: string): number[] {
  const begins: number[] = [];
  let isWithin = false;
  for (let at = 0; at < text.length; at += 1) {
    const isWord = (unitKind(text.charCodeAt(at)) & (Unit.letter | Unit.number)) !== 0;
    if (isWord && !isWithin) begins.push(at);
    isWithin = isWord;
  }
  return begins;
}

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

/** A word of a list. */
interface Listed {
  word: string;
  second: number; // its second unit; NaN: it has none
  list: number;
}

/** The distances to the words of several lists, which hold until the next are asked for; null where no words stand near. */
export function distancesTo(lists: readonly string[]): (text: string, start: number) => Float64Array | null {
  const byFirst: Listed[][] = [];
  for (const [list, words] of lists.entries())
    for (const word of words === '' ? [] : words.split('|')) {
      byFirst[word.charCodeAt(0)] ??= [];
      byFirst[word.charCodeAt(0)]!.push({ word, second: word.charCodeAt(1), list });
    }
  const nearest = new Float64Array(lists.length);
  return (text, start) => {
    const { before, begins } = lookBehind(text, start);
    if (begins.length === 0) return null;
    nearest.fill(Number.POSITIVE_INFINITY);
    for (let index = 0; index < begins.length; index += 1) {
      const at = begins[index]!;
      const words = byFirst[before.charCodeAt(at)];
      if (words === undefined) continue;
      const next = before.charCodeAt(at + 1);
      for (let entry = 0; entry < words.length; entry += 1) {
        const { word, second, list } = words[entry]!;
        if ((second === next || word.length === 1) && before.startsWith(word, at))
          nearest[list] = Math.min(nearest[list]!, before.length - at - word.length);
      }
    }
    return nearest;
  };
}

/** Whether a letter stands before `start` where words are looked for. */
export function isNearLetters(text: string, start: number): boolean {
  return letterBefore(text, start) >= Math.max(0, start - LOOK_BEHIND);
}

/** The last letters that were asked for: many ask for the same, and the next mostly for one behind it. */
let lastLetter = { text: '', start: 0, at: -1 };

/** Where the last letter before `start` is; less than where words are looked for, if there is none. */
function letterBefore(text: string, start: number): number {
  const isSameText = lastLetter.text === text;
  if (isSameText && lastLetter.start === start) return lastLetter.at;
  const from = Math.max(0, start - LOOK_BEHIND);
  const isBehind = isSameText && lastLetter.start < start;
  let at = letterIn(text, isBehind ? Math.max(from, lastLetter.start) : from, start);
  if (at < 0 && isBehind) at = lastLetter.at;
  lastLetter = { text, start, at };
  return at;
}

/** What stands before a place. */
interface LookBehind {
  text: string;
  start: number;
  before: string; // in lower case; empty without letters
  begins: readonly number[]; // of its words
}

let last: LookBehind = { text: '', start: 0, before: '', begins: [] };

function lookBehind(text: string, start: number): LookBehind {
  if (last.text === text && last.start === start) return last;
  const before = isNearLetters(text, start)
    ? text.slice(Math.max(0, start - LOOK_BEHIND), start).toLowerCase()
    : '';
  last = { text, start, before, begins: before === '' ? NONE : beginsIn(before) };
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

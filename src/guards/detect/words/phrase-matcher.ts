import { WordMemo } from './memo.js';
import type { Phrase } from './phrase.js';
import type { Word } from './tokenise.js';

export interface PhraseMatch<Label> {
  label: Label;
  first: number; // indices of words
  last: number;
}

/** A slot of a phrase, reached with an alternative of `length` words. */
interface Arrival {
  phrase: number;
  slot: number;
  length: number;
}

interface Node {
  words: Map<string, Node>;
  prefixes: Map<string, Node>;
  arrivals: Arrival[];
}

const nothing: readonly Node[] = [];
const MIN_PREFIX = 2;
const MAX_PREFIX = 16;

/**
 * Finds many phrases in one pass. All alternatives stand in one trie; each phrase remembers how far it has come and where. The work is words ×
 * alternatives that begin alike, whatever the text: linear.
 */
export class PhraseMatcher<Label> {
  private readonly root: Node = node();
  /** Per slot: the latest word that it was reached with, and where that way began. Of the text that `runs` says. */
  private readonly firsts: Int32Array;
  private readonly lasts: Int32Array;
  private readonly slotsFrom: readonly number[];
  private readonly runs: Uint32Array;
  private run = 0;
  private readonly begun = new WordMemo((word) => follow(this.root, word, []));

  constructor(private readonly phrases: readonly Phrase<Label>[]) {
    for (const [phrase, { slots }] of phrases.entries())
      for (const [slot, alternatives] of slots.entries())
        for (const alternative of alternatives) {
          let at = this.root;
          for (const { text, isPrefix } of alternative) {
            const next = isPrefix ? at.prefixes : at.words;
            if (!next.has(text)) next.set(text, node());
            at = next.get(text)!;
          }
          at.arrivals.push({ phrase, slot, length: alternative.length });
        }
    let slots = 0;
    this.slotsFrom = phrases.map((phrase) => {
      const from = slots;
      slots += phrase.slots.length;
      return from;
    });
    this.firsts = new Int32Array(slots);
    this.lasts = new Int32Array(slots);
    this.runs = new Uint32Array(phrases.length);
  }

  match(words: readonly Word[]): PhraseMatch<Label>[] {
    const matches: PhraseMatch<Label>[] = [];
    this.run += 1;
    let open: readonly Node[] = nothing;
    for (let index = 0; index < words.length; index += 1) {
      const { text } = words[index]!;
      let next: readonly Node[] = this.begun.get(text);
      if (open.length > 0) {
        let going: Node[] | null = null;
        for (const at of open)
          if (at.words.size > 0 || at.prefixes.size > 0) {
            going ??= [...next];
            follow(at, text, going);
          }
        next = going ?? next;
      }
      for (const { arrivals } of next) for (const arrival of arrivals) this.arrive(arrival, index, matches);
      open = next;
    }
    return matches;
  }

  private arrive({ phrase, slot, length }: Arrival, last: number, matches: PhraseMatch<Label>[]): void {
    const { slots, maxGap, label } = this.phrases[phrase]!;
    const { firsts, lasts } = this;
    const at = this.slotsFrom[phrase]! + slot;
    const first = last - length + 1;
    if (this.runs[phrase] !== this.run) {
      if (slot > 0) return;
      this.runs[phrase] = this.run;
      lasts.fill(-1, at, at + slots.length);
    }
    if (slot === 0) firsts[at] = first;
    else {
      const before = lasts[at - 1]!;
      if (before < 0 || before >= first || first - before - 1 > maxGap) return;
      firsts[at] = firsts[at - 1]!;
    }
    lasts[at] = last;
    if (slot === slots.length - 1) matches.push({ label, first: firsts[at]!, last });
  }
}

function node(): Node {
  return { words: new Map(), prefixes: new Map(), arrivals: [] };
}

function follow(at: Node, text: string, into: Node[]): Node[] {
  const exact = at.words.get(text);
  if (exact !== undefined) into.push(exact);
  if (at.prefixes.size === 0) return into;
  const longest = Math.min(MAX_PREFIX, text.length);
  for (let length = 1; length <= longest; length += 1) {
    if (length < MIN_PREFIX && text.length > 1) continue;
    const prefixed = at.prefixes.get(text.slice(0, length));
    if (prefixed !== undefined) into.push(prefixed);
  }
  return into;
}

import type { Alternative, Phrase } from './phrase.js';
import type { Word } from './tokenise.js';
import { TermMemo } from './vocabulary.js';

export interface PhraseMatch<Label> {
  label: Label;
  first: number; // indices of words
  last: number;
}

interface Node {
  words: Map<string, Node>;
  prefixes: Map<string, Node>;
  /** Of the alternatives that end here, one after the other: their slot (of all phrases' slots) and how many words they have. */
  arrivals: number[];
}

/** Where a slot stands in its phrase. */
const Place = { first: 1, last: 2 } as const;
const MIN_PREFIX = 2;
const MAX_PREFIX = 16;
const MAX_POSITION = 2 ** 30;

/**
 * Finds many phrases in one pass. All alternatives stand in one trie; each phrase remembers how far it has come and where. The work is words ×
 * alternatives that begin alike, whatever the text: linear.
 */
export class PhraseMatcher<Label> {
  private readonly root = node();
  /** Per slot: the latest word that it was reached with, and where that way began. Words are counted over all texts: those before `base` are others'. */
  private readonly firsts: Int32Array;
  private readonly lasts: Int32Array;
  private readonly places: Uint8Array;
  private readonly gaps: Int32Array;
  private readonly labels: Label[] = [];
  private base = 1;
  private readonly begun = new TermMemo((word) => follow(this.root, word, []));

  constructor(phrases: readonly Phrase<Label>[]) {
    const all = phrases.flatMap(({ slots, maxGap, label }) =>
      slots.map((alternatives, index) => {
        const place = (index === 0 ? Place.first : 0) | (index === slots.length - 1 ? Place.last : 0);
        return { alternatives, place, maxGap, label };
      }),
    );
    this.firsts = new Int32Array(all.length);
    this.lasts = new Int32Array(all.length);
    this.places = Uint8Array.from(all, ({ place }) => place);
    this.gaps = Int32Array.from(all, ({ maxGap }) => maxGap);
    for (const [slot, { alternatives, label }] of all.entries()) {
      this.labels.push(label);
      for (const alternative of alternatives)
        this.nodeOf(alternative).arrivals.push(slot, alternative.length);
    }
  }

  match(words: readonly Word[]): PhraseMatch<Label>[] {
    const matches: PhraseMatch<Label>[] = [];
    if (this.base + words.length > MAX_POSITION) this.restart();
    let open: Node[] = [];
    for (let index = 0; index < words.length; index += 1) {
      const { term, text } = words[index]!;
      let reached = this.begun.get(term);
      for (const at of open) {
        if (at.words.size === 0 && at.prefixes.size === 0) continue;
        const more = follow(at, text, []);
        if (more.length > 0) reached = [...reached, ...more];
      }
      for (const { arrivals } of reached) this.arrive(arrivals, index, matches);
      open = reached;
    }
    this.base += words.length;
    return matches;
  }

  private arrive(arrivals: readonly number[], index: number, matches: PhraseMatch<Label>[]): void {
    const { firsts, lasts, places, gaps, base } = this;
    const last = base + index;
    for (let at = 0; at < arrivals.length; at += 2) {
      const slot = arrivals[at]!;
      const place = places[slot]!;
      let first = last - arrivals[at + 1]! + 1;
      if (!(place & Place.first)) {
        const before = lasts[slot - 1]!;
        if (before < base || before >= first || first - before - 1 > gaps[slot]!) continue;
        first = firsts[slot - 1]!;
      }
      firsts[slot] = first;
      lasts[slot] = last;
      if (place & Place.last) matches.push({ label: this.labels[slot]!, first: first - base, last: index });
    }
  }

  private nodeOf(alternative: Alternative): Node {
    let at = this.root;
    for (const { text, isPrefix } of alternative) {
      const next = isPrefix ? at.prefixes : at.words;
      if (!next.has(text)) next.set(text, node());
      at = next.get(text)!;
    }
    return at;
  }

  private restart(): void {
    this.lasts.fill(0);
    this.base = 1;
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

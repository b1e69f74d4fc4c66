import type { Phrase } from './phrase.js';
import type { Word } from './tokenise.js';
import { TermMemo } from './vocabulary.js';

export interface PhraseMatch<Label> {
  label: Label;
  first: number; // indices of words
  last: number;
}

/** A slot of a phrase, reached with an alternative of `length` words. */
interface Arrival<Label> {
  slot: number; // of all phrases' slots
  length: number;
  isFirst: boolean;
  isLast: boolean;
  maxGap: number;
  label: Label;
}

interface Node<Label> {
  words: Map<string, Node<Label>>;
  prefixes: Map<string, Node<Label>>;
  arrivals: Arrival<Label>[];
}

const MIN_PREFIX = 2;
const MAX_PREFIX = 16;
const MAX_POSITION = 2 ** 30;

/**
 * Finds many phrases in one pass. All alternatives stand in one trie; each phrase remembers how far it has come and where. The work is words ×
 * alternatives that begin alike, whatever the text: linear.
 */
export class PhraseMatcher<Label> {
  private readonly root = node<Label>();
  /** Per slot: the latest word that it was reached with, and where that way began. Words are counted over all texts: those before `base` are others'. */
  private readonly firsts: Int32Array;
  private readonly lasts: Int32Array;
  private base = 1;
  private readonly begun = new TermMemo((word) => follow(this.root, word, []));

  constructor(phrases: readonly Phrase<Label>[]) {
    let slot = 0;
    for (const { slots, maxGap, label } of phrases) {
      for (const [index, alternatives] of slots.entries()) {
        const isFirst = index === 0;
        const isLast = index === slots.length - 1;
        for (const alternative of alternatives) {
          let at = this.root;
          for (const { text, isPrefix } of alternative) {
            const next = isPrefix ? at.prefixes : at.words;
            if (!next.has(text)) next.set(text, node());
            at = next.get(text)!;
          }
          at.arrivals.push({ slot, length: alternative.length, isFirst, isLast, maxGap, label });
        }
        slot += 1;
      }
    }
    this.firsts = new Int32Array(slot);
    this.lasts = new Int32Array(slot);
  }

  match(words: readonly Word[]): PhraseMatch<Label>[] {
    const matches: PhraseMatch<Label>[] = [];
    if (this.base + words.length > MAX_POSITION) this.restart();
    let open: Node<Label>[] = [];
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

  private arrive(arrivals: readonly Arrival<Label>[], index: number, matches: PhraseMatch<Label>[]): void {
    const { firsts, lasts, base } = this;
    const last = base + index;
    for (const { slot, length, isFirst, isLast, maxGap, label } of arrivals) {
      let first = last - length + 1;
      if (!isFirst) {
        const before = lasts[slot - 1]!;
        if (before < base || before >= first || first - before - 1 > maxGap) continue;
        first = firsts[slot - 1]!;
      }
      firsts[slot] = first;
      lasts[slot] = last;
      if (isLast) matches.push({ label, first: first - base, last: index });
    }
  }

  private restart(): void {
    this.lasts.fill(0);
    this.base = 1;
  }
}

function node<Label>(): Node<Label> {
  return { words: new Map(), prefixes: new Map(), arrivals: [] };
}

function follow<Label>(at: Node<Label>, text: string, into: Node<Label>[]): Node<Label>[] {
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

import type { Alternative, Phrase } from './phrase.js';
import { vocabulary, type Words } from './words.js';

/** Called with the indices of a phrase's first and last word. */
export type OnMatch<Label> = (label: Label, first: number, last: number) => void;

interface Node {
  next: Map<number, Node>; // by symbol
  /** Of the alternatives that end here, one after the other: their slot (of all phrases' slots) and how many words they have. */
  arrivals: number[];
}

/** What a word is to the phrases: itself, where they name it, then each beginning that they name. */
interface Sense {
  symbols: readonly number[];
  begun: readonly Node[]; // by one of them
  open: readonly Node[]; // of those, the ones that may go on
}

/** Where a slot stands in its phrase. */
const Place = { first: 1, last: 2 } as const;
const MIN_PREFIX = 2;
const MAX_PREFIX = 16;
const MAX_POSITION = 2 ** 30;
const NONE: readonly Node[] = [];

/**
 * Finds many phrases in one pass. All alternatives stand in one trie; each phrase remembers how far it has come and where. The work is words ×
 * alternatives that begin alike, whatever the text: linear.
 */
export class PhraseMatcher<Label> {
  private readonly root = node();
  private readonly words = new Map<string, number>(); // symbols
  private readonly prefixes = new Map<string, number>();
  /** The first has no symbols: that of most words. */
  private readonly senses: Sense[] = [{ symbols: [], begun: NONE, open: NONE }];
  private readonly senseNumbers = new Map<string, number>([['', 0]]); // by symbols
  private readonly senseOf = vocabulary.memo(1, (word, into, at) => {
    into[at] = this.senseNumber(word);
  });
  /** Per slot: the latest word that it was reached with, and where that way began. Words are counted over all texts: those before `base` are others'. */
  private readonly firsts: Int32Array;
  private readonly lasts: Int32Array;
  private readonly places: Uint8Array;
  private readonly gaps: Int32Array;
  private readonly labels: Label[] = [];
  private base = 1;

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

  match({ terms, length }: Words, onMatch: OnMatch<Label>): void {
    if (this.base + length > MAX_POSITION) this.restart();
    let open = NONE;
    for (let index = 0; index < length; index += 1) {
      const number = this.senseOf.values[this.senseOf.at(terms[index]!)]!;
      if (number === 0) {
        open = NONE;
        continue;
      }
      const sense = this.senses[number]!;
      this.arrive(sense.begun, index, onMatch);
      const further = followed(open, sense.symbols);
      open = sense.open;
      if (further.length === 0) continue;
      this.arrive(further, index, onMatch);
      open = [...open, ...further.filter(goesOn)];
    }
    this.base += length;
  }

  private arrive(nodes: readonly Node[], index: number, onMatch: OnMatch<Label>): void {
    for (let at = 0; at < nodes.length; at += 1) this.fill(nodes[at]!.arrivals, index, onMatch);
  }

  private fill(arrivals: readonly number[], index: number, onMatch: OnMatch<Label>): void {
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
      if (place & Place.last) onMatch(this.labels[slot]!, first - base, index);
    }
  }

  private nodeOf(alternative: Alternative): Node {
    let at = this.root;
    for (const { text, isPrefix } of alternative) {
      const symbol = this.symbolOf(text, isPrefix);
      const next = at.next.get(symbol) ?? node();
      at.next.set(symbol, next);
      at = next;
    }
    return at;
  }

  private symbolOf(text: string, isPrefix: boolean): number {
    const known = isPrefix ? this.prefixes : this.words;
    const symbol = known.get(text) ?? this.words.size + this.prefixes.size;
    known.set(text, symbol);
    return symbol;
  }

  private senseNumber(word: string): number {
    const symbols = this.symbolsOf(word);
    const name = symbols.join();
    let number = this.senseNumbers.get(name);
    if (number === undefined) {
      const begun = followed([this.root], symbols);
      number = this.senses.push({ symbols, begun, open: begun.filter(goesOn) }) - 1;
      this.senseNumbers.set(name, number);
    }
    return number;
  }

  private symbolsOf(word: string): number[] {
    const symbols: number[] = [];
    const exact = this.words.get(word);
    if (exact !== undefined) symbols.push(exact);
    const shortest = word.length === 1 ? 1 : MIN_PREFIX;
    for (let length = shortest; length <= Math.min(MAX_PREFIX, word.length); length += 1) {
      const prefix = this.prefixes.get(word.slice(0, length));
      if (prefix !== undefined) symbols.push(prefix);
    }
    return symbols;
  }

  private restart(): void {
    this.lasts.fill(0);
    this.base = 1;
  }
}

function node(): Node {
  return { next: new Map(), arrivals: [] };
}

const goesOn = ({ next }: Node) => next.size > 0;

function followed(nodes: readonly Node[], symbols: readonly number[]): readonly Node[] {
  let reached: Node[] | null = null;
  for (let at = 0; at < nodes.length; at += 1) {
    const { next } = nodes[at]!;
    for (let index = 0; index < symbols.length; index += 1) {
      const more = next.get(symbols[index]!);
      if (more === undefined) continue;
      reached ??= [];
      reached.push(more);
    }
  }
  return reached ?? NONE;
}

/** A word as often as it comes: lower case and without accents, with what {@link TermMemo}s have computed for it. */
export interface Term {
  readonly text: string;
  readonly memos: unknown[];
}

const MAX_LENGTH = 40; // longer ones are hardly words, and aren't remembered

/** Remembers the words of texts, which repeat them. Forgets everything when full, so that hostile texts can't fill memory. */
export class Vocabulary {
  private readonly terms = new Map<string, Term>();

  constructor(private readonly maxTerms = 20_000) {}

  of(word: string): Term {
    const known = this.terms.get(word);
    if (known !== undefined) return known;
    const term: Term = { text: copyOf(word), memos: [] };
    if (word.length > MAX_LENGTH) return term;
    if (this.terms.size === this.maxTerms) this.terms.clear();
    this.terms.set(term.text, term);
    return term;
  }
}

let memos = 0;

/** Something that is computed once for each word that is remembered. */
export class TermMemo<Value> {
  private readonly slot = memos++;

  constructor(private readonly compute: (word: string) => Value) {}

  get(term: Term): Value {
    const known = term.memos[this.slot];
    if (known !== undefined) return known as Value;
    const value = this.compute(term.text);
    term.memos[this.slot] = value;
    return value;
  }
}

/** A part of a text would keep all of the text in memory. */
function copyOf(word: string): string {
  return Buffer.from(word, 'utf16le').toString('utf16le');
}

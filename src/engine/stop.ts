/** A stop string with its Knuth–Morris–Pratt table: borders[n] is the longest proper border of its first n characters. */
interface Pattern {
  text: string;
  borders: Int32Array;
}

/** A request's stop strings, prepared once and shared by its choices. */
export class StopPatterns {
  readonly patterns: readonly Pattern[];

  constructor(stops: readonly string[]) {
    this.patterns = stops.filter((text) => text !== '').map((text) => ({ text, borders: bordersOf(text) }));
  }
}

export interface StopMatch {
  text: string; // what may be sent
  stop: string | null; // the stop string that has matched; nothing may be sent after it
}

/**
 * Looks for stop strings in text that comes in pieces. Text that may be the beginning of a stop string is held back
 * until that is decided. The stop string that is complete first wins, of several complete at once the one that began
 * first; so the result doesn't depend on where the pieces are cut. O(patterns) per character.
 */
export class StopMatcher {
  private readonly matched: Int32Array; // characters of each pattern that the text's end matches
  private held = '';

  constructor(private readonly stops: StopPatterns) {
    this.matched = new Int32Array(stops.patterns.length);
  }

  push(piece: string): StopMatch {
    if (this.matched.length === 0) return { text: piece, stop: null };
    const text = this.held + piece;
    for (let i = this.held.length; i < text.length; i++) {
      const pattern = this.advance(text.charCodeAt(i));
      if (pattern !== null) {
        this.held = '';
        return { text: text.slice(0, i + 1 - pattern.text.length), stop: pattern.text };
      }
    }
    const end = text.length - Math.max(...this.matched);
    this.held = text.slice(end);
    return { text: text.slice(0, end), stop: null };
  }

  /** The text ends here: what was held back was no stop string. */
  flush(): string {
    const held = this.held;
    this.held = '';
    this.matched.fill(0);
    return held;
  }

  /** Takes one character; the longest pattern that is complete now, or null. */
  private advance(character: number): Pattern | null {
    let complete: Pattern | null = null;
    for (const [index, pattern] of this.stops.patterns.entries()) {
      let length = this.matched[index]!;
      while (length > 0 && pattern.text.charCodeAt(length) !== character) length = pattern.borders[length]!;
      if (pattern.text.charCodeAt(length) === character) length++;
      this.matched[index] = length;
      if (length === pattern.text.length && length > (complete?.text.length ?? 0)) complete = pattern;
    }
    return complete;
  }
}

function bordersOf(text: string): Int32Array {
  const borders = new Int32Array(text.length + 1);
  let length = 0;
  for (let i = 1; i < text.length; i++) {
    while (length > 0 && text.charCodeAt(i) !== text.charCodeAt(length)) length = borders[length]!;
    if (text.charCodeAt(i) === text.charCodeAt(length)) length++;
    borders[i + 1] = length;
  }
  return borders;
}

import type { Finding, Recogniser } from '../../finding.js';

/** What a candidate turned out to be; a shorter `length` leaves the rest of the match out. */
export interface Accepted {
  score: number;
  isValidated: boolean;
  category?: string;
  detail?: string;
  skip?: number; // units at the match's beginning that don't belong to it
  length?: number;
}

export interface PatternOptions {
  name: string;
  categories: readonly string[];
  /**
   * With the flag g. Every repetition is bounded and a match can't begin inside a longer run, so that each place of a text costs a constant
   * at most: linear over all.
   */
  pattern: RegExp;
  /** Quicker to look for than the pattern, and part of all that it matches. */
  core?: RegExp;
  maxSpan: number;
  lookAhead?: number; // 1 where nothing is said: the character that ends it
  /** As Recogniser's, given how far back a candidate may begin. */
  openFrom(text: string, reach: number): number;
  /** `text` and `start` show what stands around the match. */
  accept(match: string, text: string, start: number): Accepted | null;
}

export function patternRecogniser(options: PatternOptions): Recogniser {
  const { name, categories, pattern, core, maxSpan, lookAhead = 1, openFrom, accept } = options;
  return {
    name,
    categories,
    maxSpan,
    lookAhead,
    find(text) {
      const findings: Finding[] = [];
      if (core && !core.test(text)) return findings;
      pattern.lastIndex = 0;
      for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
        const accepted = accept(match[0], text, match.index);
        if (accepted === null) {
          pattern.lastIndex = match.index + 1; // another candidate may begin inside
          continue;
        }
        const start = match.index + (accepted.skip ?? 0);
        const end = accepted.length === undefined ? match.index + match[0].length : start + accepted.length;
        const { score, isValidated, category = categories[0]!, detail = name } = accepted;
        findings.push({ start, end, category, score, isValidated, detail });
        pattern.lastIndex = end;
      }
      return findings;
    },
    openFrom: (text) => openFrom(text, maxSpan + lookAhead),
  };
}

import type { Finding, Recogniser } from '../../finding.js';
import { isAlphanumeric } from '../open-run.js';

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
  /** Without it in the text, no match is accepted. */
  around?: RegExp;
  /** Quicker to look for than the pattern, and part of all that it matches. */
  core?: RegExp;
  /** How far behind a match's beginning its core begins at most: the pattern is tried there only, and nowhere right after a letter or digit of ASCII. */
  coreReach?: number;
  maxSpan: number;
  lookAhead?: number; // 1 where nothing is said: the character that ends it
  /** As Recogniser's, given how far back a candidate may begin. */
  openFrom(text: string, reach: number): number;
  /** `text` and `start` show what stands around the match. */
  accept(match: string, text: string, start: number): Accepted | null;
}

export function patternRecogniser(options: PatternOptions): Recogniser {
  const {
    name,
    categories,
    around,
    core,
    coreReach,
    pattern,
    maxSpan,
    lookAhead = 1,
    openFrom,
    accept,
  } = options;
  const next = core && coreReach !== undefined ? nextNear(pattern, core, coreReach) : nextOf(pattern);
  return {
    name,
    categories,
    maxSpan,
    lookAhead,
    find(text) {
      const findings: Finding[] = [];
      if ((core && !core.test(text)) || (around && !around.test(text))) return findings;
      let from = 0;
      for (let match = next(text, from); match !== null; match = next(text, from)) {
        const accepted = accept(match[0], text, match.index);
        if (accepted === null) {
          from = match.index + 1; // another candidate may begin inside
          continue;
        }
        const start = match.index + (accepted.skip ?? 0);
        const end = accepted.length === undefined ? match.index + match[0].length : start + accepted.length;
        const { score, isValidated, category = categories[0]!, detail = name } = accepted;
        findings.push({ start, end, category, score, isValidated, detail });
        from = end;
      }
      return findings;
    },
    openFrom: (text) => openFrom(text, maxSpan + lookAhead),
  };
}

/** The first match that begins at `from` or later. */
type Next = (text: string, from: number) => RegExpExecArray | null;

function nextOf(pattern: RegExp): Next {
  return (text, from) => {
    pattern.lastIndex = from;
    return pattern.exec(text);
  };
}

/** Tries the pattern only where a core begins within `reach`. */
function nextNear({ source, flags }: RegExp, core: RegExp, reach: number): Next {
  const pattern = new RegExp(source, flags.replace('g', 'y'));
  const cores = new RegExp(core.source, `${core.flags}g`);
  return (text, from) => {
    cores.lastIndex = from;
    let start = from;
    for (let near = cores.exec(text); near !== null; near = cores.exec(text)) {
      for (start = Math.max(start, near.index - reach); start <= near.index; start += 1) {
        if (isAlphanumeric(text.charCodeAt(start - 1))) continue;
        pattern.lastIndex = start;
        const match = pattern.exec(text);
        if (match !== null) return match;
      }
      cores.lastIndex = near.index + 1;
    }
    return null;
  };
}

import type { PinnedPrefixes } from './prefixes.js';
import type { Sequence } from './sequence.js';

/** What sequences found of their prompts instead of computing it: noted on each of them, and counted for statistics. */
export class PrefixUse {
  queries = 0;
  hits = 0;
  cachedTokens = 0;

  constructor(private readonly prefixes: PinnedPrefixes) {}

  /** The sequence has its slot, and what the pool had of its prompt. Counts when it begins, not when it resumes. */
  admitted(sequence: Sequence): void {
    if (sequence.cachedAtAdmission >= 0) return;
    sequence.cachedAtAdmission = sequence.computed;
    this.cachedTokens += sequence.computed;
    if (sequence.tail === null) return;
    this.queries++;
    if (sequence.computed > 0 || sequence.restorablePages > 0) this.hits++;
    this.prefixes.countHits(sequence.tail);
  }

  /** So many more tokens of it came back from the page store. */
  restored(sequence: Sequence, tokens: number): void {
    if (sequence.everPreempted) return;
    sequence.cachedAtAdmission += tokens;
    this.cachedTokens += tokens;
  }
}

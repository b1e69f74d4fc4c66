import type { Sequence } from './sequence.js';

/** Tokens [start, start + count) of a sequence that one step computes; the last `drafts` of them are guesses. */
export interface PlanEntry {
  sequence: Sequence;
  start: number;
  count: number;
  drafts: number;
  /** What is known of the sequence ends among them: its last token's logits give the next one. */
  complete: boolean;
}

/** One step's work. The object and its entries are reused from step to step, so that planning allocates nothing. */
export class StepPlan {
  /** The first `size` entries count. */
  readonly entries: PlanEntry[] = [];
  size = 0;
  tokens = 0;
  /** Sum over the tokens of the positions each attends to. */
  context = 0;
  /** Rows of logits: one for each entry that is complete, and one for each guess. */
  outputs = 0;
  /** Entries of decoding sequences, one token each. */
  decodes = 0;
  /** Guessed tokens in the entries. */
  drafts = 0;
  /** Pages copied back from the page store, and sequences that wait for some of the disk's. */
  restored = 0;
  fetching = 0;
  /** Sequences that got their slot in this step and have no sampler yet. */
  readonly admitted: Sequence[] = [];

  /** Nothing is computed, copied or begun. */
  get isIdle(): boolean {
    return this.size === 0 && this.restored === 0 && this.admitted.length === 0;
  }

  reset(): void {
    this.size = 0;
    this.tokens = 0;
    this.context = 0;
    this.outputs = 0;
    this.decodes = 0;
    this.drafts = 0;
    this.restored = 0;
    this.fetching = 0;
    this.admitted.length = 0;
  }

  add(sequence: Sequence, count: number): PlanEntry {
    const entry = this.entries[this.size] ?? { sequence, start: 0, count: 0, drafts: 0, complete: false };
    this.entries[this.size] = entry;
    entry.sequence = sequence;
    entry.start = sequence.computed;
    entry.count = 0;
    entry.drafts = 0;
    this.size++;
    if (sequence.state === 'decoding') this.decodes++;
    this.lengthen(entry, count);
    return entry;
  }

  lengthen(entry: PlanEntry, count: number): void {
    this.grow(entry, count);
    entry.complete = entry.start + entry.count === entry.sequence.length;
    if (entry.complete) this.outputs++;
  }

  /** Guesses behind an entry that is complete. */
  addDrafts(entry: PlanEntry, count: number): void {
    this.grow(entry, count);
    entry.drafts += count;
    this.drafts += count;
    this.outputs += count;
  }

  private grow(entry: PlanEntry, count: number): void {
    const from = entry.start + entry.count;
    entry.count += count;
    this.tokens += count;
    this.context += count * from + (count * (count + 1)) / 2;
  }
}

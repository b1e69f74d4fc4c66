import type { Sequence } from './sequence.js';

/** Tokens [start, start + count) of a sequence that one step computes. */
export interface PlanEntry {
  sequence: Sequence;
  start: number;
  count: number;
  /** The last of them ends what is known of the sequence: its logits give the next token. */
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
  /** Rows of logits: one for each entry that is complete. */
  outputs = 0;
  /** Entries of decoding sequences, one token each. */
  decodes = 0;
  /** Sequences that got their slot in this step and have no sampler yet. */
  readonly admitted: Sequence[] = [];

  reset(): void {
    this.size = 0;
    this.tokens = 0;
    this.context = 0;
    this.outputs = 0;
    this.decodes = 0;
    this.admitted.length = 0;
  }

  add(sequence: Sequence, count: number): PlanEntry {
    const entry = this.entries[this.size] ?? { sequence, start: 0, count: 0, complete: false };
    this.entries[this.size] = entry;
    entry.sequence = sequence;
    entry.start = sequence.computed;
    entry.count = 0;
    this.size++;
    if (sequence.state === 'decoding') this.decodes++;
    this.lengthen(entry, count);
    return entry;
  }

  lengthen(entry: PlanEntry, count: number): void {
    const from = entry.start + entry.count;
    entry.count += count;
    entry.complete = entry.start + entry.count === entry.sequence.length;
    if (entry.complete) this.outputs++;
    this.tokens += count;
    this.context += count * from + (count * (count + 1)) / 2;
  }
}

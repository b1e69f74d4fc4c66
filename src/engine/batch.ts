import type { Batch } from '../native/types.js';
import type { Sequence } from './sequence.js';
import type { StepPlan } from './step-plan.js';

/** Rows of logits that one step asks for, and the sequence each belongs to. Arrays are reused. */
export interface OutputRows {
  count: number;
  readonly outputs: Int32Array; // output index of the row
  readonly sequences: Sequence[];
}

/** The typed arrays of one forward(), written anew for each step and never reallocated. */
export class StepBatch implements Batch {
  count = 0;
  readonly tokens: Int32Array;
  readonly positions: Int32Array;
  readonly sequences: Int32Array;
  readonly outputs: Uint8Array;
  /** Rows to sample from, and each row's slot. The rows of a sequence's guesses follow its own. */
  readonly sampled: OutputRows;
  readonly sampledSlots: Int32Array;
  /** Rows of prompt positions whose next token's log-probability is wanted: that token, and its position. */
  readonly prompt: OutputRows;
  readonly promptTokens: Int32Array;
  readonly promptPositions: Int32Array;

  constructor(maxTokens: number, maxOutputs: number) {
    this.tokens = new Int32Array(maxTokens);
    this.positions = new Int32Array(maxTokens);
    this.sequences = new Int32Array(maxTokens);
    this.outputs = new Uint8Array(maxTokens);
    this.sampled = { count: 0, outputs: new Int32Array(maxOutputs), sequences: [] };
    this.sampledSlots = new Int32Array(maxOutputs);
    this.prompt = { count: 0, outputs: new Int32Array(maxOutputs), sequences: [] };
    this.promptTokens = new Int32Array(maxOutputs);
    this.promptPositions = new Int32Array(maxOutputs);
  }

  /** Takes the plan's entries whose sequences are still running. */
  fill(plan: StepPlan): void {
    this.count = 0;
    this.sampled.count = 0;
    this.prompt.count = 0;
    for (let i = 0; i < plan.size; i++) {
      const { sequence, start, count, drafts, complete } = plan.entries[i]!;
      if (sequence.slot < 0) continue; // ended after it was planned
      this.addTokens(sequence, start, count);
      if (sequence.promptOutputs) this.addPromptRows(sequence, start, count);
      if (complete && sequence.length < sequence.maxLength) this.addSampledRow(sequence, drafts);
    }
    this.numberOutputs();
  }

  /** Leaves the rows that `isRight` holds for, each moved on to the output of its sequence's next token. */
  nextRows(isRight: (row: number) => boolean): void {
    const { sampled, sampledSlots } = this;
    const { count } = sampled;
    sampled.count = 0;
    for (let row = 0; row < count; row++) {
      if (!isRight(row)) continue;
      const to = sampled.count++;
      sampled.outputs[to] = sampled.outputs[row]! + 1;
      sampled.sequences[to] = sampled.sequences[row]!;
      sampledSlots[to] = sampledSlots[row]!;
    }
  }

  private addTokens(sequence: Sequence, start: number, count: number): void {
    const at = this.count;
    this.count += count;
    this.sequences.fill(sequence.slot, at, this.count);
    this.outputs.fill(0, at, this.count);
    for (let i = 0; i < count; i++) {
      const position = start + i;
      const isKnown = position < sequence.length;
      this.tokens[at + i] = isKnown
        ? sequence.tokens[position]!
        : sequence.drafter!.tokens[position - sequence.length]!;
      this.positions[at + i] = position;
    }
  }

  // Rows first note the batch index of their token; numberOutputs turns it into the output's index.
  private addSampledRow(sequence: Sequence, drafts: number): void {
    const row = this.sampled.count++;
    const index = this.count - 1 - drafts;
    this.outputs.fill(1, index, this.count);
    this.sampled.outputs[row] = index;
    this.sampled.sequences[row] = sequence;
    this.sampledSlots[row] = sequence.slot;
  }

  private addPromptRows(sequence: Sequence, start: number, count: number): void {
    const first = Math.max(start, sequence.promptOutputsDone);
    const end = Math.min(start + count, sequence.promptLength - 1);
    for (let position = first; position < end; position++) {
      const row = this.prompt.count++;
      const index = this.count - count + position - start;
      this.outputs[index] = 1;
      this.prompt.outputs[row] = index;
      this.prompt.sequences[row] = sequence;
      this.promptTokens[row] = sequence.tokens[position + 1]!;
      this.promptPositions[row] = position + 1;
    }
  }

  /** Output i is the i-th token with outputs = 1. Both lists of rows are in batch order. O(tokens). */
  private numberOutputs(): void {
    let output = 0;
    let sampled = 0;
    let prompt = 0;
    for (let index = 0; index < this.count; index++) {
      if (this.outputs[index] === 0) continue;
      if (sampled < this.sampled.count && this.sampled.outputs[sampled] === index) {
        this.sampled.outputs[sampled++] = output;
      }
      if (prompt < this.prompt.count && this.prompt.outputs[prompt] === index) {
        this.prompt.outputs[prompt++] = output;
      }
      output++;
    }
  }
}

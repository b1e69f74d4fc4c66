import { Drafter } from './drafter.js';
import type { Sequence } from './sequence.js';
import type { PlanEntry, StepPlan } from './step-plan.js';
import type { StepShape, StepTimeModel } from './step-time.js';

/** A draft must promise this many times what its time yields without it: the estimates are estimates. */
const margin = 2;

export interface DraftRoom {
  targetMs: number; // that the step may take beside other sequences; 0: no bound
  tokens: number; // that the batch still takes
  outputs: number; // rows of logits that are left
  /** Cells that a sequence has, or can have at nobody's cost, behind its last token; at most `wanted`. */
  cells(sequence: Sequence, wanted: number): number;
}

/**
 * Adds guessed tokens to a step's decodes where that pays: as long as a further guess is expected to yield more tokens
 * a millisecond than the step does so far. What a row costs is the step time model's, the chance of being right
 * each sequence's own. Beside other sequences the step stays under its target.
 */
export class DraftPlanner {
  private tokens = 0; // expected of the step
  private ms = 0; // predicted for them
  private readonly shape: StepShape = { tokens: 0, outputs: 0, context: 0 };

  constructor(
    private readonly maxTokens: number, // of one draft; 0: none
    private readonly stepTime: StepTimeModel,
  ) {}

  /** `decodeMs`: what the step's decodes alone are predicted to take. */
  plan(plan: StepPlan, decodeMs: number, room: DraftRoom): void {
    if (this.maxTokens === 0 || plan.decodes === 0 || decodeMs <= 0) return;
    this.tokens = plan.decodes;
    this.ms = decodeMs;
    for (let i = 0; i < plan.size; i++) {
      const entry = plan.entries[i]!;
      const { sequence } = entry;
      if (sequence.state !== 'decoding' || !sequence.speculative) continue;
      if (!this.pays(1, this.rowMs(plan, sequence.length))) return; // not even a certain guess
      this.planFor(entry, plan, room);
    }
  }

  private planFor(entry: PlanEntry, plan: StepPlan, room: DraftRoom): void {
    const { sequence } = entry;
    sequence.drafter ??= new Drafter(this.maxTokens);
    const { drafter } = sequence;
    // The last token that it may have is sampled from the position before it.
    drafter.propose(sequence.tokens, sequence.length, sequence.maxLength - 1 - sequence.length);
    const most = this.affordable(
      plan,
      sequence,
      Math.min(drafter.proposed, room.tokens, room.outputs),
      room.targetMs,
    );
    let chance = 1;
    let count = 0;
    for (; count < most; count++) {
      chance *= drafter.chance(count);
      const rowMs = this.rowMs(plan, sequence.length + count);
      if (!this.pays(chance, rowMs)) break;
      this.tokens += chance;
      this.ms += rowMs;
    }
    if (count > 0) count = room.cells(sequence, count);
    if (count === 0) return;
    drafter.planned = count;
    plan.addDrafts(entry, count);
    room.tokens -= count;
    room.outputs -= count;
  }

  private pays(chance: number, rowMs: number): boolean {
    return chance * this.ms > margin * this.tokens * rowMs;
  }

  /** Beside others at most what keeps the step under its target. */
  private affordable(plan: StepPlan, sequence: Sequence, most: number, targetMs: number): number {
    if (targetMs === 0 || plan.size === 1) return most;
    const leftMs = targetMs - this.stepTime.predictMs(plan);
    return Math.max(0, Math.min(most, Math.floor(leftMs / this.rowMs(plan, sequence.length + most))));
  }

  /** What one more row at this position costs. */
  private rowMs(plan: StepPlan, position: number): number {
    this.shape.tokens = plan.tokens + 1;
    this.shape.outputs = plan.outputs + 1;
    this.shape.context = plan.context + position + 1;
    return this.stepTime.predictMs(this.shape) - this.stepTime.predictMs(plan);
  }
}

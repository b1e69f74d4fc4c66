import type { DecodeTurns } from './decode-turns.js';
import type { FairSlots } from './fair-slots.js';
import type { Restorer } from './page-store/restorer.js';
import type { PrefixUse } from './prefix-use.js';
import type { Sequence } from './sequence.js';
import type { PlanEntry, StepPlan } from './step-plan.js';
import type { StepRoom } from './step-room.js';
import type { WaitingQueue } from './waiting-queue.js';

/** While a prompt too long for one step is read, this share of the room goes to prompts that fit what is left. */
const shortPromptShare = 1 / 4;

export interface PromptPlannerParts {
  pageSize: number; // tokens
  plan: StepPlan;
  room: StepRoom;
  slots: FairSlots;
  turns: DecodeTurns;
  restorer: Restorer;
  prefixUse: PrefixUse;
  waiting: WaitingQueue;
}

/** Adds chunks of prompts to a step's decodes. One long prompt is read at a time, and leaves short ones some room. */
export class PromptPlanner {
  private partial: PlanEntry | null = null; // of the prompt that goes on in the next step

  constructor(private readonly parts: PromptPlannerParts) {}

  /** The plan is empty. */
  beginStep(): void {
    this.partial = null;
  }

  planStarted(running: readonly Sequence[]): void {
    const { turns } = this.parts;
    for (const sequence of running) {
      if (sequence.state === 'prefill' && !turns.standsBack(sequence)) this.planChunk(sequence);
    }
  }

  planChunk(sequence: Sequence): void {
    const { plan, room, slots, waiting } = this.parts;
    if (sequence.restorablePages > 0 && !this.restore(sequence)) return;
    const most = this.roomFor(sequence, sequence.computed);
    let count = Math.min(sequence.remaining, most);
    if (sequence.remaining > most && waiting.size > 0) count = Math.ceil(most * (1 - shortPromptShare));
    count = room.withinOutputs(sequence, sequence.computed, count);
    if (count <= 0) return;
    const entry = plan.add(sequence, count);
    room.promptPlanned(sequence, count);
    if (entry.complete) slots.promptEnds(sequence);
    else this.partial = entry;
  }

  /** What short prompts left of the room goes to the long one after all. */
  useWhatIsLeft(): void {
    const { plan, room } = this.parts;
    const entry = this.partial;
    if (entry === null) return;
    const from = entry.start + entry.count;
    const count = Math.min(entry.sequence.length - from, this.roomFor(entry.sequence, from));
    const allowed = room.withinOutputs(entry.sequence, from, count);
    if (allowed <= 0) return;
    plan.lengthen(entry, allowed);
    room.promptPlanned(entry.sequence, allowed);
  }

  /**
   * Whether a new one with so many tokens to compute waits until the long one is read: two would halve each other's
   * speed, and both would end late.
   */
  mustWait(sequence: Sequence, uncached: number): boolean {
    const { room, slots } = this.parts;
    if (this.partial === null) return false;
    if (slots.hasMany(this.partial.sequence) && !slots.hasMany(sequence)) return false;
    return uncached > room.at(sequence.length - uncached);
  }

  private roomFor(sequence: Sequence, from: number): number {
    const { room, slots, turns } = this.parts;
    const most = room.for(sequence, from);
    return slots.hasMany(sequence) ? Math.min(most, room.within(turns.briefMs, from)) : most;
  }

  /** True once nothing is left to be copied back. */
  private restore(sequence: Sequence): boolean {
    const { pageSize, plan, room, restorer, prefixUse } = this.parts;
    const pages = restorer.restore(sequence, plan, room.decodeMs > 0);
    plan.restored += pages;
    prefixUse.restored(sequence, pages * pageSize);
    return sequence.restorablePages === 0;
  }
}

import type { FairSlots } from './fair-slots.js';
import type { Sequence } from './sequence.js';
import type { StepShape, StepTimeModel } from './step-time.js';

/** Steps that could keep a newcomer waiting take at most this share of the target. */
const briefShare = 1 / 2;

/** Taking turns may make a token of those who do cost this many times as much: a step costs something for itself. */
const maxCost = 1.25;

/**
 * Whose decodes a step computes. All of them, while one tenant is alone or all have about as much. Beside tenants that have
 * few, those who have many take turns: whoever comes next waits for the step that runs, and where rows cost more than steps do,
 * as on a CPU, short steps compute as many tokens a second. Where prompts of who has few are to be read, every other step is for
 * these alone.
 */
export class DecodeTurns {
  /** The step has no part for whoever has many. */
  isForFew = false;
  private round = 1;
  private readonly few: StepShape = { tokens: 0, outputs: 0, context: 0 };
  private readonly all: StepShape = { tokens: 0, outputs: 0, context: 0 };

  constructor(
    private readonly targetStepMs: number, // 0: throughput mode, where nobody takes turns
    private readonly slots: FairSlots,
    private readonly stepTime: StepTimeModel,
  ) {}

  /** What a step may take that has work of whoever has many beside who has few. */
  get briefMs(): number {
    return this.targetStepMs === 0 ? Number.POSITIVE_INFINITY : this.targetStepMs * briefShare;
  }

  /** Sets `sitsOut` of every decoding sequence. `fewRead`: there are prompts to be read of who has few. */
  choose(running: readonly Sequence[], fewRead: boolean): void {
    const many = this.count(running);
    this.isForFew = fewRead && !this.isForFew && this.targetStepMs > 0 && this.slots.isUneven;
    for (const sequence of running) sequence.sitsOut = many > 0 && this.isOneOfMany(sequence);
    if (many > 0 && !this.isForFew) this.letIn(running, this.affordable(many));
  }

  /** The step is for everyone after all. False where it was already. */
  letAllIn(running: readonly Sequence[]): boolean {
    const wasForAll = !this.isForFew && !running.some(({ sitsOut }) => sitsOut);
    this.isForFew = false;
    for (const sequence of running) sequence.sitsOut = false;
    return !wasForAll;
  }

  /** The step has no part for its prompt: it is for the few. */
  standsBack(sequence: Sequence): boolean {
    return this.isForFew && this.slots.hasMany(sequence);
  }

  /** Everyone of them has a turn before anyone has another. */
  private letIn(running: readonly Sequence[], count: number): void {
    let left = count;
    for (let pass = 0; pass < 2 && left > 0; pass++) {
      for (const sequence of running) {
        if (left === 0) return;
        if (!sequence.sitsOut || sequence.turn >= this.round) continue;
        sequence.turn = this.round;
        sequence.sitsOut = false;
        left--;
      }
      if (left > 0) this.round++;
    }
  }

  /** How many of whoever has many decode; the shapes of the decodes with and without theirs are noted. */
  private count(running: readonly Sequence[]): number {
    reset(this.few);
    reset(this.all);
    if (this.targetStepMs === 0 || !this.slots.isUneven) return 0;
    for (const sequence of running) {
      if (sequence.state !== 'decoding') continue;
      add(this.all, sequence);
      if (!this.isOneOfMany(sequence)) add(this.few, sequence);
    }
    return this.all.tokens - this.few.tokens;
  }

  /** Of `many`, those with whom the step stays brief; more where that would waste too much of the machine. */
  private affordable(many: number): number {
    const stepMs = this.stepTime.predictMs(noDecodes);
    const fewMs = this.stepTime.predictMs(this.few);
    const rowMs = (this.stepTime.predictMs(this.all) - fewMs) / many;
    const brief = Math.floor((this.briefMs - fewMs) / rowMs);
    const thrifty = Math.ceil(stepMs / ((maxCost * stepMs) / many + (maxCost - 1) * rowMs));
    const count = Math.max(brief, thrifty);
    return count >= 1 ? Math.min(many, count) : 1; // also where rows and steps are taken to cost nothing
  }

  private isOneOfMany(sequence: Sequence): boolean {
    return sequence.state === 'decoding' && this.slots.hasMany(sequence);
  }
}

const noDecodes: StepShape = { tokens: 0, outputs: 0, context: 0 };

function reset(shape: StepShape): void {
  shape.tokens = 0;
  shape.outputs = 0;
  shape.context = 0;
}

function add(shape: StepShape, { length }: Sequence): void {
  shape.tokens++;
  shape.outputs++;
  shape.context += length;
}

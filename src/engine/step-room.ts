import type { Sequence } from './sequence.js';
import type { StepPlan } from './step-plan.js';
import type { StepTimeModel } from './step-time.js';

/** Prompt tokens that a step reads at least, however slow the decodes beside them: prompts never stand still. */
const minPromptTokens = 8;

/** With prompts waiting, a step may take this many times as long as its decodes alone, if that is over the target. */
const maxStretch = 2;

/**
 * A prompt that takes longer than this many steps of the target is long: whoever streams beside it feels every one of
 * them. They are kept to this many times their decodes alone, so that gaps stay below twice what they were before.
 */
const longPromptSteps = 8;
const longPromptStretch = 1.87;

/** Its chunks begin so small and grow to twice as many at a step: what one costs is known from the one before. */
const firstChunkTokens = 8;

export interface StepRoomConfig {
  maxBatchTokens: number; // ≥ maxSequences
  maxSequences: number;
  maxOutputs: number; // > maxSequences: what is over is for prompt log-probabilities
  targetStepMs: number; // 0: throughput mode
}

/** What a step has room for beside what is planned: tokens of the batch, time under the target, rows of logits. */
export class StepRoom {
  decodeMs = 0; // predicted, of the step's decodes alone
  private othersWait = false; // whose decodes are not in the step
  private promptTokens = 0;
  private longPromptTokens = 0; // beside decodes
  private longPromptLimit = firstChunkTokens;
  private extraOutputs = 0;

  constructor(
    private readonly config: StepRoomConfig,
    private readonly stepTime: StepTimeModel,
    private readonly plan: StepPlan,
  ) {}

  /** The plan is empty. */
  begin(): void {
    this.decodeMs = 0;
    this.promptTokens = 0;
    this.longPromptLimit = this.nextLongPromptLimit();
    this.longPromptTokens = 0;
    this.extraOutputs = this.config.maxOutputs - this.config.maxSequences;
  }

  /** The plan is the step's decodes. */
  decodesPlanned(othersWait: boolean): void {
    this.othersWait = othersWait;
    this.decodeMs = this.plan.size === 0 ? 0 : this.stepTime.predictDecodesMs(this.plan);
  }

  promptPlanned(sequence: Sequence, tokens: number): void {
    this.promptTokens += tokens;
    if (this.isFelt(sequence)) this.longPromptTokens += tokens;
  }

  get tokens(): number {
    return this.config.maxBatchTokens - this.plan.tokens;
  }

  get outputs(): number {
    return this.config.maxSequences - this.plan.outputs + this.extraOutputs;
  }

  /** Prompt tokens from position `from` on that the step still has room for. */
  at(from: number): number {
    const isAlone = this.decodeMs === 0 && !this.othersWait; // nobody waits for a next token
    if (this.config.targetStepMs === 0 || isAlone) return this.tokens;
    return this.within(Math.max(this.config.targetStepMs, maxStretch * this.decodeMs), from);
  }

  /** Of the sequence's own. */
  for(sequence: Sequence, from: number): number {
    const room = this.at(from);
    if (!this.isFelt(sequence)) return room;
    const stretched = this.within(longPromptStretch * this.decodeMs, from);
    return Math.min(room, stretched, this.longPromptLimit - this.longPromptTokens);
  }

  private nextLongPromptLimit(): number {
    if (this.longPromptTokens === 0) return firstChunkTokens;
    return Math.max(this.longPromptLimit, 2 * this.longPromptTokens);
  }

  /** A long prompt, beside decodes. */
  private isFelt({ length, cachedAtAdmission }: Sequence): boolean {
    if (this.config.targetStepMs === 0 || this.decodeMs === 0) return false;
    const cached = Math.max(0, cachedAtAdmission);
    return this.stepTime.promptMs(length - cached, cached) > longPromptSteps * this.config.targetStepMs;
  }

  /** Prompt tokens with which the step takes no longer than that, or the least of them. */
  within(targetMs: number, from: number): number {
    const predictedMs = targetMs / this.stepTime.promptError;
    const affordable = this.stepTime.promptTokensWithin(predictedMs, this.plan, from);
    return Math.min(this.tokens, Math.max(affordable, minPromptTokens - this.promptTokens));
  }

  /** At most `count`, so that the prompt positions whose logits are wanted fit the step's outputs. */
  withinOutputs(sequence: Sequence, from: number, count: number): number {
    if (!sequence.promptOutputs) return count;
    // The last prompt position's logits give the first answer token: an output that every sequence has anyway.
    const first = Math.max(from, sequence.promptOutputsDone);
    const wanted = Math.min(from + count, sequence.promptLength - 1) - first;
    if (wanted <= this.extraOutputs) {
      this.extraOutputs -= Math.max(0, wanted);
      return count;
    }
    const allowed = first + this.extraOutputs - from;
    this.extraOutputs = 0;
    return allowed;
  }
}

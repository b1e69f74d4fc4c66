import { FairPlaces } from '../support/fair-share.js';
import { DraftPlanner, type DraftRoom } from './draft-planner.js';
import type { PageStore } from './page-store/page-store.js';
import { Restorer } from './page-store/restorer.js';
import type { PagePool } from './pages.js';
import { Placement, type PlacementConfig } from './placement.js';
import { waitsForPrefix } from './prefix-wait.js';
import { PinnedPrefixes } from './prefixes.js';
import type { RadixCache } from './radix.js';
import type { Sequence } from './sequence.js';
import type { Sessions } from './sessions.js';
import { type PlanEntry, StepPlan } from './step-plan.js';
import type { StepTimeModel } from './step-time.js';
import type { PinnedPrefix } from './types.js';
import { WaitingQueue } from './waiting-queue.js';

/** Prompt tokens that a step reads at least, however slow the decodes beside them: prompts never stand still. */
const minPromptTokens = 8;

/** While a prompt too long for one step is read, this share of the room goes to prompts that fit what is left. */
const shortPromptShare = 1 / 4;

/** With prompts waiting, a step may take this many times as long as its decodes alone, if that is over the target. */
const maxStretch = 2;

/** Waiting sequences that a step looks at, and of them those that don't fit the pool. */
const maxCandidates = 64;
const maxMisfits = 4;

const ageingMs = 2_000;
const urgentMs = 10_000;

export interface SchedulerConfig extends PlacementConfig {
  maxBatchTokens: number; // ≥ maxSequences
  maxOutputs: number; // > maxSequences: what is over is for prompt log-probabilities
  targetStepMs: number; // 0: throughput mode
  watermark: number; // share of the pool kept free at admission
  prefixCache: boolean;
  draftTokens: number; // guessed tokens that a step may compute for one sequence; 0: no speculation
}

type Verdict = 'admitted' | 'later' | 'misfit';

/**
 * Decides what each step computes. Pure: time comes in as an argument, nothing here does I/O.
 *
 * A step: one token of every decoding sequence first; then prompt chunks of those already started; then new
 * sequences, as room allows. A new one is admitted only when pages for its whole prompt are there, and gets them at
 * once, so that admissions never count the same page twice. Out of pages: leaves of the prefix cache go, then the
 * sessions, then the youngest running sequence of the lowest priority loses its pages and is computed again later.
 */
export class Scheduler {
  readonly prefixes: PinnedPrefixes;
  readonly waiting: WaitingQueue;
  /** By priority, then order of admission: victims of preemption are taken from the end. */
  readonly running: Sequence[] = [];
  preemptions = 0;
  prefixQueries = 0;
  prefixHits = 0;
  cachedTokens = 0;

  private readonly plan = new StepPlan();
  private readonly placement: Placement;
  private readonly watermarkPages: number;
  private readonly places = new FairPlaces();
  private nowMs = 0;
  private readonly restorer: Restorer;
  private readonly drafts: DraftPlanner;
  private readonly draftRoom: DraftRoom = {
    tokens: 0,
    outputs: 0,
    cells: (sequence, wanted) => this.placement.cellsBehind(sequence, wanted, this.watermarkPages),
  };
  private admissions = 0;
  private extraOutputs = 0;
  private partial: PlanEntry | null = null;
  private promptTokens = 0; // planned in this step
  private decodeMs = 0; // predicted, of this step's decodes alone

  /** `onRelease` is told each slot that a sequence gives back, before another can get it. */
  constructor(
    private readonly config: SchedulerConfig,
    private readonly stepTime: StepTimeModel,
    private readonly onRelease: (slot: number) => void,
  ) {
    this.placement = new Placement(config);
    this.restorer = new Restorer(config, this.placement, stepTime);
    this.prefixes = new PinnedPrefixes(this.cache);
    this.waiting = new WaitingQueue({
      ageingMs,
      urgentMs,
      cachedPages: (sequence) => this.placement.cachedPages(sequence),
    });
    this.watermarkPages = Math.ceil(config.watermark * config.pages);
    this.drafts = new DraftPlanner(config.draftTokens, config.targetStepMs, stepTime);
  }

  get pool(): PagePool {
    return this.placement.pool;
  }

  get cache(): RadixCache {
    return this.placement.cache;
  }

  get sessions(): Sessions {
    return this.placement.sessions;
  }

  get blockTables(): Int32Array {
    return this.placement.blockTables;
  }

  /** Cells of running sequences' pages beyond the tokens that they have. O(running): for statistics. */
  get cellsUnused(): number {
    return this.running.reduce(
      (sum, { pageCount, length }) => sum + pageCount * this.config.pageSize - length,
      0,
    );
  }

  /** Evicted pages are kept in `store` from now on, and come back where that takes less time than computing. */
  useStore(store: PageStore): void {
    this.placement.store = store;
  }

  canEverFit(sequence: Sequence): boolean {
    return this.placement.canEverFit(sequence);
  }

  /** Takes a sequence for which `canEverFit` holds. */
  enqueue(sequence: Sequence): void {
    this.waiting.add(sequence);
  }

  /** The next step's work. The plan is valid until the next call. Its size is 0 only if nothing can run. */
  schedule(nowMs: number): StepPlan {
    this.nowMs = nowMs;
    this.plan.reset();
    this.extraOutputs = this.config.maxOutputs - this.config.maxSequences;
    this.partial = null;
    this.promptTokens = 0;
    const preemptions = this.preemptions;
    this.restorer.beginStep(this.running.some(({ state }) => state === 'decoding'));
    this.planDecodes();
    this.decodeMs = this.plan.size === 0 ? 0 : this.stepTime.predictDecodesMs(this.plan);
    this.planStartedPrompts();
    // Pages were short a moment ago: whoever starts now would be the next to lose them.
    if (this.preemptions === preemptions) this.admit(nowMs);
    this.useWhatIsLeft();
    this.planDrafts();
    return this.plan;
  }

  /** The plan's tokens have been computed; of guesses only `accept` knows. Complete prompt pages go to the cache at once, for others to share. */
  advance(plan: StepPlan): void {
    for (let i = 0; i < plan.size; i++) {
      const { sequence, count, drafts } = plan.entries[i]!;
      if (sequence.slot < 0) continue; // ended since
      sequence.computed += count - drafts;
      if (sequence.state !== 'prefill') continue;
      this.placement.shareCompletePages(sequence);
      if (sequence.remaining === 0) sequence.state = 'decoding';
    }
  }

  /** The guess after what is computed was right: one more token's KV is good. */
  accept(sequence: Sequence): void {
    sequence.computed++;
  }

  /**
   * Ends a sequence in any state; its pages are back when this returns. `keep` leaves its complete pages to the
   * prefix cache and its session.
   */
  finish(sequence: Sequence, keep: boolean): void {
    if (sequence.state === 'waiting') this.waiting.remove(sequence);
    else if (sequence.state !== 'finished') this.release(sequence, keep);
    sequence.state = 'finished';
  }

  /**
   * Pins the pages of a running sequence's prompt. False, and nothing pinned, where a request that has been accepted
   * could then never run. O(waiting + running): pinning is rare.
   */
  pin(sequence: Sequence, prefix: PinnedPrefix): boolean {
    if (sequence.tail === null) return false;
    this.prefixes.add(prefix, sequence.tail);
    if (this.everyoneFits(sequence)) return true;
    this.prefixes.remove(prefix.tenant, prefix.id);
    return false;
  }

  /** Throws where the books don't balance. O(1). */
  check(): void {
    this.placement.check();
  }

  private planDecodes(): void {
    for (let i = 0; i < this.running.length; i++) {
      const sequence = this.running[i]!;
      if (sequence.state !== 'decoding') continue;
      if (this.growOrPreempt(sequence)) this.plan.add(sequence, 1);
      else i--; // it was the last of the list, and is out of it
    }
  }

  private planStartedPrompts(): void {
    for (const sequence of this.running) {
      if (sequence.state === 'prefill') this.planChunk(sequence);
    }
  }

  private planChunk(sequence: Sequence): void {
    if (sequence.restorablePages > 0 && !this.restore(sequence)) return;
    const room = this.roomAt(sequence.computed);
    let count = Math.min(sequence.remaining, room);
    if (sequence.remaining > room && this.waiting.size > 0) {
      count = Math.ceil(room * (1 - shortPromptShare));
    }
    count = this.withinOutputs(sequence, sequence.computed, count);
    if (count <= 0) return;
    const entry = this.plan.add(sequence, count);
    this.promptTokens += count;
    if (!entry.complete) this.partial = entry;
  }

  /** True once nothing is left to be copied back. */
  private restore(sequence: Sequence): boolean {
    const count = this.restorer.restore(sequence, this.plan, this.decodeMs > 0);
    this.plan.restored += count;
    if (!sequence.everPreempted) {
      sequence.cachedAtAdmission += count * this.config.pageSize;
      this.cachedTokens += count * this.config.pageSize;
    }
    return sequence.restorablePages === 0;
  }

  /** What short prompts left of the room goes to the long one after all. */
  private useWhatIsLeft(): void {
    const entry = this.partial;
    if (entry === null) return;
    const from = entry.start + entry.count;
    const count = Math.min(entry.sequence.length - from, this.roomAt(from));
    const allowed = this.withinOutputs(entry.sequence, from, count);
    if (allowed <= 0) return;
    this.plan.lengthen(entry, allowed);
    this.promptTokens += allowed;
  }

  private planDrafts(): void {
    const { maxBatchTokens, maxSequences } = this.config;
    this.draftRoom.tokens = maxBatchTokens - this.plan.tokens;
    this.draftRoom.outputs = maxSequences - this.plan.outputs + this.extraOutputs;
    this.drafts.plan(this.plan, this.decodeMs, this.draftRoom);
  }

  /** Prompt tokens from position `from` on that this step still has room for. */
  private roomAt(from: number): number {
    const budget = this.config.maxBatchTokens - this.plan.tokens;
    if (this.config.targetStepMs === 0 || this.decodeMs === 0) return budget; // nobody waits for a next token
    const targetMs = Math.max(this.config.targetStepMs, maxStretch * this.decodeMs);
    const affordable = this.stepTime.promptTokensWithin(targetMs, this.plan, from);
    return Math.min(budget, Math.max(affordable, minPromptTokens - this.promptTokens));
  }

  /** At most `count`, so that the prompt positions whose logits are wanted fit the step's outputs. */
  private withinOutputs(sequence: Sequence, from: number, count: number): number {
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

  private admit(nowMs: number): void {
    let again = true;
    while (again && this.running.length < this.config.maxSequences) again = this.admitOne(nowMs);
  }

  private admitOne(nowMs: number): boolean {
    if (this.waiting.size === 0 || this.roomAt(0) <= 0) return false;
    let looked = 0;
    let misfits = 0;
    for (const sequence of this.waiting.candidates(nowMs)) {
      const verdict = this.tryAdmit(sequence, nowMs);
      if (verdict === 'admitted') return true;
      // Smaller ones may pass one that doesn't fit, for a while: then the pages are saved for it.
      const barrier = sequence.preempted || nowMs - sequence.enqueuedAtMs > ageingMs;
      if (verdict === 'misfit' && (barrier || ++misfits === maxMisfits)) return false;
      if (++looked === maxCandidates) return false;
    }
    return false;
  }

  private tryAdmit(sequence: Sequence, nowMs: number): Verdict {
    if (!this.mayTakeSlot(sequence) || waitsForPrefix(sequence, this.running, this.placement)) return 'later';
    if (this.restorer.isAwaited(sequence, nowMs)) {
      this.plan.fetching++;
      return 'later';
    }
    const cached = this.placement.cachedPages(sequence);
    const restorable = this.restorer.pagesOf(sequence);
    const uncached = sequence.length - (cached + restorable) * this.config.pageSize;
    // One long prompt at a time: two would halve each other's speed, and both would end late.
    if (this.partial !== null && uncached > this.roomAt(sequence.length - uncached)) return 'later';
    const spare = this.running.length === 0 ? 0 : this.watermarkPages;
    if (!this.placement.take(sequence, spare)) return 'misfit';
    sequence.restorablePages = restorable;
    this.waiting.take(sequence, uncached + sequence.maxLength - sequence.length);
    this.start(sequence);
    this.planChunk(sequence);
    return 'admitted';
  }

  /** Preempted sequences had their slot already. */
  private mayTakeSlot({ tenant, preempted }: Sequence): boolean {
    return preempted || this.places.mayTake(tenant, this.config.maxSequences, this.nowMs);
  }

  private start(sequence: Sequence): void {
    this.places.take(sequence.tenant, this.nowMs);
    sequence.state = 'prefill';
    sequence.preempted = false;
    sequence.waitsFor = null;
    sequence.admission = this.admissions++;
    let at = this.running.length;
    while (at > 0 && this.running[at - 1]!.priority > sequence.priority) at--;
    this.running.splice(at, 0, sequence);
    this.plan.admitted.push(sequence);
    if (sequence.cachedAtAdmission < 0) this.countQuery(sequence);
  }

  private countQuery(sequence: Sequence): void {
    sequence.cachedAtAdmission = sequence.computed;
    this.cachedTokens += sequence.computed;
    if (sequence.tail === null) return;
    this.prefixQueries++;
    if (sequence.computed > 0 || sequence.restorablePages > 0) this.prefixHits++;
    this.prefixes.countHits(sequence.tail);
  }

  /** The page of the position that a decoding sequence computes next. False where the sequence itself was preempted. */
  private growOrPreempt(sequence: Sequence): boolean {
    while (!this.placement.grow(sequence)) {
      const victim = this.running.at(-1)!;
      this.preempt(victim);
      if (victim === sequence) return false;
    }
    return true;
  }

  /** The sequence loses its pages and waits to be computed again; what it has generated becomes part of its prompt. */
  private preempt(sequence: Sequence): void {
    this.release(sequence, true);
    sequence.state = 'waiting';
    sequence.preempted = true;
    sequence.everPreempted = true;
    sequence.fetchTried = false;
    this.preemptions++;
    this.waiting.add(sequence);
  }

  private release(sequence: Sequence, keep: boolean): void {
    const { slot } = sequence;
    this.placement.release(sequence, keep);
    this.running.splice(this.running.indexOf(sequence), 1);
    this.places.leave(sequence.tenant, this.nowMs);
    this.onRelease(slot);
  }

  private everyoneFits(except: Sequence): boolean {
    for (const sequence of this.running) if (sequence !== except && !this.canEverFit(sequence)) return false;
    for (const sequence of this.waiting.all()) if (!this.canEverFit(sequence)) return false;
    return true;
  }
}

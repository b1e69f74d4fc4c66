import { DecodeTurns } from './decode-turns.js';
import { DraftPlanner, type DraftRoom } from './draft-planner.js';
import { FairSlots } from './fair-slots.js';
import type { PageStore } from './page-store/page-store.js';
import { Restorer } from './page-store/restorer.js';
import type { PagePool } from './pages.js';
import { Placement, type PlacementConfig } from './placement.js';
import { PrefixUse } from './prefix-use.js';
import { waitsForPrefix } from './prefix-wait.js';
import { PinnedPrefixes } from './prefixes.js';
import { PromptPlanner } from './prompt-planner.js';
import type { RadixCache } from './radix.js';
import type { Sequence } from './sequence.js';
import type { Sessions } from './sessions.js';
import { StepPlan } from './step-plan.js';
import { StepRoom, type StepRoomConfig } from './step-room.js';
import type { StepTimeModel } from './step-time.js';
import type { PinnedPrefix } from './types.js';
import { WaitingQueue } from './waiting-queue.js';

/** Waiting sequences that a step looks at, and of them those that don't fit the pool. */
const maxCandidates = 64;
const maxMisfits = 4;

const ageingMs = 2_000;
const urgentMs = 10_000;

export interface SchedulerConfig extends PlacementConfig, StepRoomConfig {
  guestSequences: number; // of maxSequences: for tenants that have few of the others, while these are taken
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
  readonly prefixUse: PrefixUse;
  readonly waiting: WaitingQueue;
  /** By priority, then order of admission: victims of preemption are taken from the end. */
  readonly running: Sequence[] = [];
  preemptions = 0;

  private readonly plan = new StepPlan();
  private readonly room: StepRoom;
  readonly placement: Placement;
  private readonly watermarkPages: number;
  private readonly slots: FairSlots;
  private readonly turns: DecodeTurns;
  private readonly restorer: Restorer;
  private readonly prompts: PromptPlanner;
  private readonly drafts: DraftPlanner;
  private readonly draftRoom: DraftRoom = {
    targetMs: 0,
    tokens: 0,
    outputs: 0,
    cells: (sequence, wanted) => this.placement.cellsBehind(sequence, wanted, this.watermarkPages),
  };
  private admissions = 0;

  /** `onRelease` is told each slot that a sequence gives back, before another can get it. */
  constructor(
    private readonly config: SchedulerConfig,
    stepTime: StepTimeModel,
    private readonly onRelease: (slot: number) => void,
  ) {
    this.placement = new Placement(config);
    this.slots = new FairSlots(config.maxSequences - config.guestSequences, config.guestSequences);
    this.turns = new DecodeTurns(config.targetStepMs, this.slots, stepTime);
    this.room = new StepRoom(config, stepTime, this.plan);
    this.restorer = new Restorer(config, this.placement, stepTime);
    this.prefixes = new PinnedPrefixes(this.cache);
    this.prefixUse = new PrefixUse(this.prefixes);
    this.waiting = new WaitingQueue({
      ageingMs,
      urgentMs,
      cachedPages: (sequence) => this.placement.cachedPages(sequence),
    });
    this.watermarkPages = Math.ceil(config.watermark * config.pages);
    const { plan, room, slots, turns, restorer, prefixUse, waiting } = this;
    const { pageSize } = config;
    this.prompts = new PromptPlanner({ pageSize, plan, room, slots, turns, restorer, prefixUse, waiting });
    this.drafts = new DraftPlanner(config.draftTokens, stepTime);
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
    this.plan.reset();
    this.slots.beginStep(nowMs);
    this.room.begin();
    this.prompts.beginStep();
    const next = this.makePlace(nowMs);
    this.restorer.beginStep(this.running.some(({ state }) => state === 'decoding'));
    this.turns.choose(this.running, this.fewRead(next));
    this.planWork(nowMs);
    // Who had their turn lost their pages, or the few find none: then the step is for everyone.
    if (this.plan.isIdle && this.turns.letAllIn(this.running)) this.planWork(nowMs);
    this.prompts.useWhatIsLeft();
    this.planDrafts();
    this.openWindows();
    return this.plan;
  }

  /** The plan's tokens have been computed; of guesses only `accept` knows. Complete prompt pages go to the cache at once, for others to share. */
  advance(plan: StepPlan): void {
    for (let i = 0; i < plan.size; i++) {
      const { sequence, count, drafts } = plan.entries[i]!;
      if (sequence.slot < 0) continue; // ended since
      sequence.computed += count - drafts;
      this.placement.moveWindow(sequence);
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
    if (sequence.tail === null || !this.placement.canPin(sequence.tail)) return false;
    this.prefixes.add(prefix, sequence.tail);
    if (this.everyoneFits(sequence)) return true;
    this.prefixes.remove(prefix.tenant, prefix.id);
    return false;
  }

  /** Throws where the books don't balance. O(1). */
  check(): void {
    this.placement.check();
  }

  private planWork(nowMs: number): void {
    const preemptions = this.preemptions;
    this.planDecodes();
    this.room.decodesPlanned(this.turns.isForFew);
    this.prompts.planStarted(this.running);
    // Pages were short a moment ago: whoever starts now would be the next to lose them.
    if (this.preemptions === preemptions) this.admit(nowMs);
  }

  private planDecodes(): void {
    for (let i = 0; i < this.running.length; i++) {
      const sequence = this.running[i]!;
      if (sequence.state !== 'decoding' || sequence.sitsOut) continue;
      if (this.growOrPreempt(sequence)) this.plan.add(sequence, 1);
      else i--; // it was the last of the list, and is out of it
    }
  }

  private planDrafts(): void {
    this.draftRoom.targetMs = this.slots.isUneven ? this.turns.briefMs : this.config.targetStepMs;
    this.draftRoom.tokens = this.room.tokens;
    this.draftRoom.outputs = this.room.outputs;
    this.drafts.plan(this.plan, this.room.decodeMs, this.draftRoom);
  }

  private openWindows(): void {
    for (let i = 0; i < this.plan.size; i++) {
      const { sequence, start, count } = this.plan.entries[i]!;
      if (sequence.slot >= 0) this.placement.openWindow(sequence, start + count);
    }
  }

  private admit(nowMs: number): void {
    let again = true;
    while (again && this.running.length < this.config.maxSequences) again = this.admitOne(nowMs);
  }

  private admitOne(nowMs: number): boolean {
    if (this.waiting.size === 0 || this.room.at(0) <= 0) return false;
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
    if (
      this.turns.standsBack(sequence) ||
      this.slots.canWait(sequence) ||
      !this.slots.mayTake(sequence, this.waiting.isOnly(sequence))
    )
      return 'later';
    if (waitsForPrefix(sequence, this.running, this.placement)) return 'later';
    if (this.restorer.isAwaited(sequence, nowMs)) {
      this.plan.fetching++;
      return 'later';
    }
    const cached = this.placement.cachedPages(sequence);
    const restorable = this.restorer.pagesOf(sequence);
    const uncached = sequence.length - (cached + restorable) * this.config.pageSize;
    if (this.prompts.mustWait(sequence, uncached)) return 'later';
    const spare = this.running.length === 0 ? 0 : this.watermarkPages;
    if (!this.placement.take(sequence, spare)) return 'misfit';
    sequence.restorablePages = restorable;
    // A place that was given up has paid for its answer already.
    const answer = sequence.everPreempted ? 0 : sequence.maxLength - sequence.length;
    this.waiting.take(sequence, uncached + answer);
    this.start(sequence);
    this.prompts.planChunk(sequence);
    return 'admitted';
  }

  /** Where the slots are another tenant's, for the first of a tenant that waits. One a step. Returns who can have a slot now. */
  private makePlace(nowMs: number): Sequence | undefined {
    let tenant: string | null = null;
    for (const sequence of this.waiting.candidates(nowMs)) {
      if (sequence.tenant === tenant) continue;
      tenant = sequence.tenant;
      if (this.slots.mayTake(sequence, this.waiting.isOnly(sequence))) return sequence;
      const giver = this.slots.giver(sequence, this.running);
      if (!giver || this.isHeldUp(sequence, nowMs)) continue;
      this.preempt(giver, 'in turn');
      return sequence;
    }
    return undefined;
  }

  /** Whether prompts of who has few are to be read: running ones, or the one that comes next. */
  private fewRead(next: Sequence | undefined): boolean {
    if (!this.slots.isUneven) return false;
    if (next !== undefined && !this.slots.hasMany(next)) return true;
    return this.running.some((sequence) => sequence.state === 'prefill' && !this.slots.hasMany(sequence));
  }

  /** Others have computed for it, or the disk has read for it, what it would otherwise compute itself. */
  private isHeldUp(sequence: Sequence, nowMs: number): boolean {
    return waitsForPrefix(sequence, this.running, this.placement) || this.restorer.isAwaited(sequence, nowMs);
  }

  private start(sequence: Sequence): void {
    this.slots.take(sequence);
    sequence.state = 'prefill';
    sequence.preempted = false;
    sequence.waitsFor = null;
    sequence.admission = this.admissions++;
    let at = this.running.length;
    while (at > 0 && this.running[at - 1]!.priority > sequence.priority) at--;
    this.running.splice(at, 0, sequence);
    this.plan.admitted.push(sequence);
    this.prefixUse.admitted(sequence);
  }

  /** The page of the position that a decoding sequence computes next. False where the sequence itself was preempted. */
  private growOrPreempt(sequence: Sequence): boolean {
    while (!this.placement.grow(sequence)) {
      const victim = this.running.at(-1)!;
      this.preempt(victim, 'first');
      if (victim === sequence) return false;
    }
    return true;
  }

  /** The sequence loses its pages and waits to be computed again; what it has generated becomes part of its prompt. */
  private preempt(sequence: Sequence, resumes: 'first' | 'in turn'): void {
    this.release(sequence, true);
    sequence.state = 'waiting';
    sequence.preempted = resumes === 'first';
    sequence.everPreempted = true;
    sequence.fetchTried = false;
    this.preemptions++;
    this.waiting.add(sequence);
  }

  private release(sequence: Sequence, keep: boolean): void {
    const { slot } = sequence;
    this.placement.release(sequence, keep);
    this.running.splice(this.running.indexOf(sequence), 1);
    this.slots.leave(sequence);
    this.onRelease(slot);
  }

  private everyoneFits(except: Sequence): boolean {
    for (const sequence of this.running) if (sequence !== except && !this.canEverFit(sequence)) return false;
    for (const sequence of this.waiting.all()) if (!this.canEverFit(sequence)) return false;
    return true;
  }
}

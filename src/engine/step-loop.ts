import {
  type NativeContext,
  type SampleResult,
  type SamplerParams,
  VocabFlag,
  type VocabTable,
} from '../native/types.js';
import { StepBatch } from './batch.js';
import { Pieces } from './detokenizer.js';
import { engineStats, newTotals } from './engine-stats.js';
import type { Choice, PinResult } from './live-request.js';
import { newSampleResult, readLogprob } from './logprobs.js';
import type { PageStore } from './page-store/page-store.js';
import { Requests } from './requests.js';
import { Scheduler, type SchedulerConfig } from './scheduler.js';
import type { Sequence } from './sequence.js';
import type { StepPlan } from './step-plan.js';
import { StepTimeModel } from './step-time.js';
import type { EngineEvent, EngineStats, GenerateRequest, PinnedPrefix } from './types.js';

/** What the loop needs of a native context; the simulator has one of its own. */
export type StepContext = Pick<
  NativeContext,
  | 'info'
  | 'forward'
  | 'setSampler'
  | 'clearSampler'
  | 'sample'
  | 'logprobs'
  | 'trimSequence'
  | 'readPage'
  | 'writePage'
  | 'graphsReused'
>;

export interface CoreConfig extends SchedulerConfig {
  maxContext: number; // tokens a sequence may have
  maxQueue: number; // requests that may wait
}

export interface CoreDependencies {
  config: CoreConfig;
  vocab: VocabTable;
  /** Called once, with the tables that the scheduler writes; the second is null where pages are whole. */
  createContext(blockTables: Int32Array, windowTable: Int32Array | null): StepContext;
  /** Called once where there is a prefix cache; null where evicted pages are not to be kept. */
  createStore(context: StepContext): PageStore | null;
  /** Epoch in milliseconds, with fractions: deadlines and step times are both read from it. */
  nowMs(): number;
  /** Takes the events of one step; the array is not used again. */
  emit(events: EngineEvent[]): void;
  /** Told of errors that ended requests, for the log: clients see a general message only. */
  onFault(error: unknown): void;
}

/**
 * The engine without its thread: turns requests, step by step, into events. A step is schedule → forward → sample →
 * emit; what its outcome means to a request is for `requests.ts`.
 */
export class EngineCore {
  readonly scheduler: Scheduler;
  /** The last step computed nothing: all that could run waits for the disk. */
  isBlocked = false;
  private readonly context: StepContext;
  private readonly store: PageStore | null;
  private readonly requests: Requests;
  private readonly stepTime = new StepTimeModel();
  private readonly batch: StepBatch;
  private readonly result: SampleResult;
  private readonly totals = newTotals();

  constructor(private readonly dependencies: CoreDependencies) {
    const { config } = dependencies;
    if (config.maxBatchTokens < config.maxSequences)
      throw new RangeError('maxBatchTokens is below maxSequences.');
    if (config.maxOutputs <= config.maxSequences)
      throw new RangeError('maxOutputs must be over maxSequences.');
    this.scheduler = new Scheduler(config, this.stepTime, (slot) => this.releaseSlot(slot));
    this.context = dependencies.createContext(
      this.scheduler.blockTables,
      this.scheduler.placement.windows?.table ?? null,
    );
    const canShare = config.prefixCache && this.context.info.placement === 'pages';
    this.store = canShare ? dependencies.createStore(this.context) : null;
    if (this.store !== null) this.scheduler.useStore(this.store);
    const { maxContext, maxQueue } = config;
    this.requests = new Requests({
      scheduler: this.scheduler,
      maxContext,
      maxQueue,
      maxSequences: config.maxSequences - config.guestSequences,
      canShare,
      canSpeculate: this.context.info.placement === 'pages', // guesses that were wrong are written over
      pieces: new Pieces(dependencies.vocab),
      nowMs: () => dependencies.nowMs(),
    });
    this.batch = new StepBatch(config.maxBatchTokens, config.maxOutputs);
    this.result = newSampleResult(config.maxOutputs);
  }

  get hasWork(): boolean {
    return this.requests.size > 0;
  }

  /** Takes a request; one that is refused gets its error event. */
  submit(request: GenerateRequest): void {
    this.requests.submit(request);
  }

  /** Ends a request at once. Unknown ids are ignored: it may have ended on its own. */
  cancel(id: string): void {
    this.requests.cancel(id);
  }

  cancelAll(): void {
    this.requests.cancelAll();
  }

  pinPrefix(tenant: string, id: string, tokens: Int32Array, settle: (result: PinResult) => void): void {
    this.requests.pinPrefix(tenant, id, tokens, settle);
  }

  listPrefixes(tenant: string): PinnedPrefix[] {
    return this.scheduler.prefixes.list(tenant);
  }

  unpinPrefix(tenant: string, id: string): boolean {
    return this.scheduler.prefixes.remove(tenant, id);
  }

  /** Runs one step. Blocks for as long as the model computes. */
  step(): void {
    const startMs = this.dependencies.nowMs();
    const spentMs = this.store?.spentMs ?? 0;
    this.requests.expire(startMs);
    const plan = this.scheduler.schedule(startMs);
    this.prepareSamplers(plan, startMs);
    this.batch.fill(plan);
    if (this.batch.count === 0) this.assertProgress(plan);
    this.isBlocked = this.batch.count === 0 && plan.fetching > 0;
    const scheduledMs = this.dependencies.nowMs();
    const forwarded = this.batch.count > 0 && this.forward();
    const forwardedMs = this.dependencies.nowMs();
    if (forwarded) this.scheduler.advance(plan);
    const sampled = forwarded && this.sample();
    const sampledMs = this.dependencies.nowMs();
    if (forwarded) this.reportPrompts(plan);
    if (sampled) this.takeTokens();
    this.flush();
    const endMs = this.dependencies.nowMs();
    this.totals.scheduleMs += scheduledMs - startMs;
    this.totals.forwardMs += forwardedMs - scheduledMs;
    this.totals.sampleMs += sampledMs - forwardedMs;
    this.totals.emitMs += endMs - sampledMs;
    const movedMs = (this.store?.spentMs ?? 0) - spentMs; // of pages: no part of what tokens cost
    if (forwarded) this.countStep(plan, endMs, endMs - startMs - movedMs);
  }

  /** Hands out events that arose outside a step. */
  flush(): void {
    const events = this.requests.takeEvents();
    if (events.length > 0) this.dependencies.emit(events);
  }

  /** Finds what earlier processes have left, until `untilMs`. Before the first step. */
  async open(untilMs: number): Promise<void> {
    await this.store?.open(untilMs);
  }

  /** Leaves the cached pages to the disk for the next start, until `untilMs`. Nothing may be running. */
  async close(untilMs: number): Promise<void> {
    await this.store?.close(this.scheduler.placement.cached(), untilMs);
  }

  stats(): EngineStats {
    const { totals, scheduler, requests, store, context } = this;
    return engineStats({ totals, scheduler, requests, store, context });
  }

  private prepareSamplers(plan: StepPlan, nowMs: number): void {
    for (const sequence of plan.admitted) {
      const choice = this.requests.choiceOf(sequence);
      if (choice === undefined) continue; // its request failed with another choice of this step
      this.requests.started(choice.request, nowMs);
      if (sequence.length === sequence.maxLength) continue; // nothing to sample
      try {
        const params = samplerParams(choice);
        this.context.setSampler(sequence.slot, params, sequence.history(), sequence.generated);
      } catch (error) {
        this.refuseSampler(choice, error);
      }
    }
  }

  private refuseSampler(choice: Choice, error: unknown): void {
    if ((error as { code?: unknown }).code === 'GRAMMAR_INVALID') {
      this.requests.fail(choice.request, 'invalid_grammar', (error as Error).message, true);
      return;
    }
    this.dependencies.onFault(error);
    this.requests.fail(choice.request, 'engine_failed', 'Sampling could not be prepared.', true);
  }

  private forward(): boolean {
    try {
      this.context.forward(this.batch);
      return true;
    } catch (error) {
      this.dependencies.onFault(error);
      this.failSequences(this.scheduler.running.filter((sequence) => this.isInBatch(sequence)));
      return false;
    }
  }

  /** O(batch tokens); only after a failure. */
  private isInBatch(sequence: Sequence): boolean {
    return this.batch.sequences.subarray(0, this.batch.count).includes(sequence.slot);
  }

  private failSequences(sequences: readonly Sequence[]): void {
    for (const sequence of sequences) {
      const live = this.requests.choiceOf(sequence)?.request; // gone where another choice of the request was first
      if (live === undefined) continue;
      this.requests.fail(live, 'engine_failed', 'The engine failed while computing this request.', false);
    }
  }

  private sample(): boolean {
    const { prompt, sampled } = this.batch;
    try {
      if (prompt.count > 0) this.readPromptLogprobs();
    } catch (error) {
      this.dependencies.onFault(error);
      this.failSequences(prompt.sequences.slice(0, prompt.count));
      this.failSequences(sampled.sequences.slice(0, sampled.count));
      return false;
    }
    return this.sampleRows();
  }

  private sampleRows(): boolean {
    const { sampled, sampledSlots } = this.batch;
    try {
      if (sampled.count > 0) this.context.sample(sampled.count, sampled.outputs, sampledSlots, this.result);
      return true;
    } catch (error) {
      this.dependencies.onFault(error);
      this.failSequences(sampled.sequences.slice(0, sampled.count));
      return false;
    }
  }

  private readPromptLogprobs(): void {
    const { prompt, promptTokens, promptPositions } = this.batch;
    let top = 0;
    for (let row = 0; row < prompt.count; row++) {
      top = Math.max(top, this.requests.choiceOf(prompt.sequences[row]!)!.request.request.promptLogprobs);
    }
    this.context.logprobs(prompt.count, prompt.outputs, promptTokens, top, this.result);
    for (let row = 0; row < prompt.count; row++) {
      const sequence = prompt.sequences[row]!;
      const { request, promptLogprobs } = this.requests.choiceOf(sequence)!.request;
      const logprob = readLogprob(this.result, row, promptTokens[row]!, request.promptLogprobs);
      promptLogprobs![promptPositions[row]!] = logprob;
      sequence.promptOutputsDone = promptPositions[row]!;
    }
  }

  private reportPrompts(plan: StepPlan): void {
    for (let i = 0; i < plan.size; i++) {
      const { sequence, complete } = plan.entries[i]!;
      const choice = complete ? this.requests.choiceOf(sequence) : undefined;
      if (choice !== undefined && sequence.slot >= 0) this.requests.promptComputed(choice);
    }
  }

  /**
   * Where a sampled token is the one that was guessed, the logits after it are there already, and the next is sampled
   * from them: each token is drawn from what it would have been drawn from without guesses, by the same random numbers.
   */
  private takeTokens(): void {
    for (let depth = 0; this.batch.sampled.count > 0; depth++) {
      this.batch.nextRows((row) => this.takeRow(row, depth));
      if (this.batch.sampled.count > 0 && !this.sampleRows()) return;
    }
  }

  /** True where the sequence's next token can be sampled in this step too. */
  private takeRow(row: number, depth: number): boolean {
    const sequence = this.batch.sampled.sequences[row]!;
    const choice = this.requests.choiceOf(sequence);
    if (choice === undefined) return false;
    const token = this.result.tokens[row]!;
    this.takeToken(choice, row);
    if (sequence.state !== 'decoding' || !sequence.drafter?.verify(depth, token)) {
      sequence.drafter?.clear();
      return false;
    }
    this.scheduler.accept(sequence);
    this.totals.acceptedTokens++;
    return true;
  }

  private takeToken(choice: Choice, row: number): void {
    const { sequence, request: live } = choice;
    const { ignoreEos, topLogprobs } = live.request.sampling;
    const token = this.result.tokens[row]!;
    if (token < 0) {
      // Appended, it would fail the next step for everyone. Its pages may hold what made the logits useless.
      this.requests.fail(live, 'engine_failed', 'No token could be chosen to go on with.', false);
      return;
    }
    this.totals.generatedTokens++;
    if (!ignoreEos && (this.dependencies.vocab.flags[token]! & VocabFlag.endOfGeneration) !== 0) {
      this.requests.finish(choice, 'stop');
      return;
    }
    sequence.append(token);
    const logprob = topLogprobs < 0 ? null : readLogprob(this.result, row, token, topLogprobs);
    this.requests.advanced(choice, token, logprob);
  }

  private releaseSlot(slot: number): void {
    this.context.clearSampler(slot);
    if (this.context.info.placement === 'sequences') this.context.trimSequence(slot, 0);
  }

  private countStep(plan: StepPlan, endMs: number, elapsedMs: number): void {
    this.stepTime.observe(plan, elapsedMs);
    this.totals.steps++;
    this.totals.lastStepAtMs = endMs;
    this.totals.promptTokens += plan.tokens - plan.decodes - plan.drafts;
    this.totals.draftedTokens += plan.drafts;
  }

  /** Accepted sequences fit the pool alone, so with nothing running one of them must start. */
  private assertProgress(plan: StepPlan): void {
    const { running, waiting } = this.scheduler;
    if (plan.size > 0 || plan.admitted.length > 0) return; // planned, and failed since
    if (plan.restored > 0 || plan.fetching > 0) return;
    if (running.length > 0 || waiting.size > 0) {
      throw new Error(`No progress with ${running.length} running and ${waiting.size} waiting sequences.`);
    }
  }
}

function samplerParams({ request: live, index }: Choice): SamplerParams {
  const { sampling } = live.request;
  // Penalties look at the whole text, as OpenAI describes them; each choice draws from a stream of its own.
  return { ...sampling, seed: (sampling.seed + index) >>> 0, penaltyLastN: -1 };
}

import {
  type NativeContext,
  type SampleResult,
  type SamplerParams,
  VocabFlag,
  type VocabTable,
} from '../native/types.js';
import { IndexedHeap } from '../support/indexed-heap.js';
import { Pace } from '../support/pace.js';
import { StepBatch } from './batch.js';
import { Pieces } from './detokenizer.js';
import { type Choice, LiveRequest, type PinCall, type PinError, type PinResult } from './live-request.js';
import { newSampleResult, readLogprob } from './logprobs.js';
import { promptOnly } from './prompt-only.js';
import { Scheduler, type SchedulerConfig } from './scheduler.js';
import type { Sequence } from './sequence.js';
import type { StepPlan } from './step-plan.js';
import { StepTimeModel } from './step-time.js';
import type { EngineEvent, EngineStats, FinishReason, GenerateRequest, PinnedPrefix } from './types.js';

/** What the loop needs of a native context; the simulator has one of its own. */
export type StepContext = Pick<
  NativeContext,
  'info' | 'forward' | 'setSampler' | 'clearSampler' | 'sample' | 'logprobs' | 'trimSequence'
>;

export interface CoreConfig extends SchedulerConfig {
  maxContext: number; // tokens a sequence may have
  maxQueue: number; // requests that may wait
}

export interface CoreDependencies {
  config: CoreConfig;
  vocab: VocabTable;
  /** Called once, with the block tables that the scheduler writes. */
  createContext(blockTables: Int32Array): StepContext;
  /** Epoch in milliseconds, with fractions: deadlines and step times are both read from it. */
  nowMs(): number;
  /** Takes the events of one step; the array is not used again. */
  emit(events: EngineEvent[]): void;
  /** Told of errors that ended requests, for the log: clients see a general message only. */
  onFault(error: unknown): void;
}

const longestRetrySeconds = 60;

type ErrorEvent = Extract<EngineEvent, { type: 'error' }>;

/**
 * The engine without its thread: accepts requests and turns them, step by step, into events.
 * A step is schedule → forward → sample → emit.
 */
export class EngineCore {
  readonly scheduler: Scheduler;
  private readonly context: StepContext;
  private readonly config: CoreConfig;
  private readonly canShare: boolean;
  private readonly pieces: Pieces;
  private readonly stepTime = new StepTimeModel();
  private readonly batch: StepBatch;
  private readonly result: SampleResult;
  private readonly requests = new Map<string, LiveRequest>();
  private readonly choices = new Map<Sequence, Choice>();
  private readonly deadlines = new IndexedHeap<LiveRequest>((a, b) => a.deadlineMs < b.deadlineMs);
  private events: EngineEvent[] = [];
  private arrivals = 0;
  private queued = 0;
  private readonly starts = new Pace(1_000); // requests leaving the queue
  private readonly totals = {
    steps: 0,
    lastStepAtMs: 0,
    scheduleMs: 0,
    forwardMs: 0,
    sampleMs: 0,
    emitMs: 0,
    promptTokens: 0,
    generatedTokens: 0,
    rejections: 0,
  };

  constructor(private readonly dependencies: CoreDependencies) {
    const { config } = dependencies;
    if (config.maxBatchTokens < config.maxSequences)
      throw new RangeError('maxBatchTokens is below maxSequences.');
    if (config.maxOutputs <= config.maxSequences)
      throw new RangeError('maxOutputs must be over maxSequences.');
    this.config = config;
    this.scheduler = new Scheduler(config, this.stepTime, (slot) => this.releaseSlot(slot));
    this.context = dependencies.createContext(this.scheduler.blockTables);
    this.canShare = config.prefixCache && this.context.info.placement === 'pages';
    this.pieces = new Pieces(dependencies.vocab);
    this.batch = new StepBatch(config.maxBatchTokens, config.maxOutputs);
    this.result = newSampleResult(config.maxOutputs);
  }

  get hasWork(): boolean {
    return this.requests.size > 0;
  }

  /** Takes a request; one that is refused gets its error event. */
  submit(request: GenerateRequest): void {
    const refusal = this.accept(request, null);
    if (refusal === null) return;
    this.totals.rejections++;
    this.events.push({ type: 'error', id: request.id, ...refusal });
  }

  /** Ends a request at once. Unknown ids are ignored: it may have ended on its own. */
  cancel(id: string): void {
    const live = this.requests.get(id);
    if (live !== undefined) for (const choice of live.choices) this.finish(choice, 'cancelled');
  }

  cancelAll(): void {
    for (const id of Array.from(this.requests.keys())) this.cancel(id);
  }

  pinPrefix(tenant: string, id: string, tokens: Int32Array, settle: (result: PinResult) => void): void {
    const requestId = `pin ${tenant.length}:${tenant}${id}`;
    const error =
      this.refusePin(tenant, id, requestId) ?? this.acceptPin(requestId, tenant, tokens, { id, settle });
    if (error !== null) settle({ error });
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
    this.expire(startMs);
    const plan = this.scheduler.schedule(startMs);
    this.prepareSamplers(plan, startMs);
    this.batch.fill(plan);
    if (this.batch.count === 0) this.assertProgress(plan);
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
    if (forwarded) this.countStep(plan, endMs, endMs - startMs);
  }

  /** Hands out events that arose outside a step. */
  flush(): void {
    if (this.events.length === 0) return;
    const events = this.events;
    this.events = [];
    this.dependencies.emit(events);
  }

  stats(): EngineStats {
    const { pool, running, waiting, sessions, prefixes } = this.scheduler;
    return {
      ...this.totals,
      running: running.length,
      waiting: waiting.size,
      pagesTotal: pool.total,
      pagesFree: pool.free,
      pagesCached: pool.cached,
      pagesLive: pool.live,
      cachedTokens: this.scheduler.cachedTokens,
      prefixQueries: this.scheduler.prefixQueries,
      prefixHits: this.scheduler.prefixHits,
      preemptions: this.scheduler.preemptions,
      sessions: sessions.size,
      pinnedPrefixes: prefixes.size,
    };
  }

  private refusePin(tenant: string, id: string, requestId: string): PinError | null {
    if (!this.canShare) return { code: 'unsupported_parameter', message: 'This model has no prefix cache.' };
    const exists = this.scheduler.prefixes.has(tenant, id) || this.requests.has(requestId);
    return exists ? { code: 'duplicate_id', message: 'A prefix of this id exists.' } : null;
  }

  private acceptPin(requestId: string, tenant: string, tokens: Int32Array, pin: PinCall): PinError | null {
    const refused = this.accept(promptOnly(requestId, tenant, tokens), pin);
    if (refused === null) return null;
    return {
      code: refused.code === 'queue_full' ? 'queue_full' : 'request_too_large',
      message: refused.message,
    };
  }

  private accept(request: GenerateRequest, pin: PinCall | null): Omit<ErrorEvent, 'type' | 'id'> | null {
    const { maxContext, maxQueue, maxSequences } = this.config;
    const length = request.prompt.length;
    if (length > maxContext || (length === maxContext && request.maxTokens > 0)) {
      return refusal('request_too_large', `The prompt has ${length} tokens; at most ${maxContext} fit.`);
    }
    if (this.queued >= maxQueue + maxSequences - this.scheduler.running.length) {
      // What a newcomer would wait for: the time in which the queue, at its recent pace, is worked off.
      const retryAfterSeconds = this.starts.secondsFor(this.queued, longestRetrySeconds);
      return refusal('queue_full', `${this.queued} requests are waiting.`, retryAfterSeconds);
    }
    const live = new LiveRequest({
      request,
      arrival: this.arrivals++,
      nowMs: this.dependencies.nowMs(),
      maxContext,
      canShare: this.canShare,
      pieces: this.pieces,
      pin,
    });
    const first = live.choices[0]!;
    if (!this.scheduler.canEverFit(first.sequence)) {
      return refusal(
        'request_too_large',
        'Prompt and answer together need more memory than this server has for them.',
      );
    }
    this.requests.set(request.id, live);
    if (request.deadlineMs !== null) this.deadlines.push(live);
    this.queued++;
    this.enqueue(first);
    return null;
  }

  private enqueue(choice: Choice): void {
    this.choices.set(choice.sequence, choice);
    this.scheduler.enqueue(choice.sequence);
  }

  private expire(nowMs: number): void {
    for (let first = this.deadlines.peek(); first !== undefined; first = this.deadlines.peek()) {
      if (first.deadlineMs > nowMs) return;
      this.fail(first, 'deadline_exceeded', 'The deadline passed before the answer was complete.', true);
    }
  }

  private prepareSamplers(plan: StepPlan, nowMs: number): void {
    for (const sequence of plan.admitted) {
      const choice = this.choices.get(sequence);
      if (choice === undefined) continue; // its request failed with another choice of this step
      this.leaveQueue(choice.request, nowMs);
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
      this.fail(choice.request, 'invalid_grammar', (error as Error).message, true);
      return;
    }
    this.dependencies.onFault(error);
    this.fail(choice.request, 'engine_failed', 'Sampling could not be prepared.', true);
  }

  private leaveQueue(live: LiveRequest, nowMs: number): void {
    if (!live.queued) return;
    live.queued = false;
    this.queued--;
    this.starts.mark(nowMs);
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
      const live = this.choices.get(sequence)?.request; // gone where another choice of the request was first
      if (live !== undefined)
        this.fail(live, 'engine_failed', 'The engine failed while computing this request.', false);
    }
  }

  private sample(): boolean {
    const { prompt, sampled } = this.batch;
    try {
      if (prompt.count > 0) this.readPromptLogprobs();
      if (sampled.count > 0) {
        this.context.sample(sampled.count, sampled.outputs, this.batch.sampledSlots, this.result);
      }
      return true;
    } catch (error) {
      this.dependencies.onFault(error);
      this.failSequences(prompt.sequences.slice(0, prompt.count));
      this.failSequences(sampled.sequences.slice(0, sampled.count));
      return false;
    }
  }

  private readPromptLogprobs(): void {
    const { prompt, promptTokens, promptPositions } = this.batch;
    let top = 0;
    for (let row = 0; row < prompt.count; row++) {
      top = Math.max(top, this.choices.get(prompt.sequences[row]!)!.request.request.promptLogprobs);
    }
    this.context.logprobs(prompt.count, prompt.outputs, promptTokens, top, this.result);
    for (let row = 0; row < prompt.count; row++) {
      const sequence = prompt.sequences[row]!;
      const { request, promptLogprobs } = this.choices.get(sequence)!.request;
      const logprob = readLogprob(this.result, row, promptTokens[row]!, request.promptLogprobs);
      promptLogprobs![promptPositions[row]!] = logprob;
      sequence.promptOutputsDone = promptPositions[row]!;
    }
  }

  /** Prompts that are complete now are told of, and the request's other choices may start. */
  private reportPrompts(plan: StepPlan): void {
    for (let i = 0; i < plan.size; i++) {
      const { sequence, complete } = plan.entries[i]!;
      const choice = complete ? this.choices.get(sequence) : undefined;
      if (choice === undefined || sequence.slot < 0) continue;
      if (!choice.request.promptReported) this.reportPrompt(choice);
      if (sequence.length === sequence.maxLength) this.endPromptOnly(choice);
    }
  }

  private reportPrompt({ request: live, sequence }: Choice): void {
    live.promptReported = true;
    for (const other of live.choices.slice(1)) this.enqueue(other);
    if (live.pin !== null) return;
    this.events.push({
      type: 'prompt',
      id: live.request.id,
      cachedTokens: sequence.cachedAtAdmission,
      logprobs: live.promptLogprobs,
    });
  }

  private endPromptOnly(choice: Choice): void {
    if (choice.request.pin !== null) this.settlePin(choice);
    this.finish(choice, 'length');
  }

  private settlePin({ request: live, sequence }: Choice): void {
    const prefix: PinnedPrefix = {
      id: live.pin!.id,
      tenant: live.request.tenant,
      tokens: sequence.length,
      pages: sequence.sharedPages,
      createdAtMs: Math.round(this.dependencies.nowMs()),
      hits: 0,
    };
    const pinned = this.scheduler.pin(sequence, prefix);
    const error = {
      code: 'request_too_large',
      message: 'Requests in progress need the memory of this prefix.',
    } as const;
    live.pin!.settle(pinned ? { prefix } : { error });
  }

  private takeTokens(): void {
    const { sampled } = this.batch;
    for (let row = 0; row < sampled.count; row++) {
      const choice = this.choices.get(sampled.sequences[row]!);
      if (choice !== undefined) this.takeToken(choice, row);
    }
  }

  private takeToken(choice: Choice, row: number): void {
    const { sequence, output, request: live } = choice;
    const { sampling } = live.request;
    const token = this.result.tokens[row]!;
    if (token < 0) {
      // Appended, it would fail the next step for everyone. Its pages may hold what made the logits useless.
      this.fail(live, 'engine_failed', 'No token could be chosen to go on with.', false);
      return;
    }
    this.totals.generatedTokens++;
    if (!sampling.ignoreEos && (this.dependencies.vocab.flags[token]! & VocabFlag.endOfGeneration) !== 0) {
      this.finish(choice, 'stop');
      return;
    }
    sequence.append(token);
    const text = output.push(token);
    const full = sequence.length === sequence.maxLength;
    this.events.push({
      type: 'delta',
      id: live.request.id,
      index: choice.index,
      text,
      tokens: [token],
      logprobs:
        sampling.topLogprobs < 0 ? null : [readLogprob(this.result, row, token, sampling.topLogprobs)],
    });
    if (output.stop !== null) this.finish(choice, 'stop');
    else if (full) this.finish(choice, 'length');
  }

  private finish(choice: Choice, finishReason: FinishReason): void {
    const { request: live, index, sequence, output } = choice;
    if (sequence.state === 'finished') return;
    this.scheduler.finish(sequence, true);
    this.choices.delete(sequence);
    if (live.pin === null) {
      this.sendRest(choice);
      const done = { stopSequence: output.stop, completionTokens: sequence.generated };
      this.events.push({
        type: 'done',
        id: live.request.id,
        index,
        finishReason: output.stop === null ? finishReason : 'stop',
        ...done,
      });
    } else if (finishReason === 'cancelled') {
      live.pin.settle({ error: { code: 'cancelled', message: 'The prefix was cancelled.' } });
    }
    if (--live.openChoices === 0) this.forget(live);
  }

  /** Text that was held back, once it is clear that nothing follows. */
  private sendRest({ request: live, index, output }: Choice): void {
    const text = output.end();
    if (text === '') return;
    const logprobs = live.request.sampling.topLogprobs < 0 ? null : [];
    this.events.push({ type: 'delta', id: live.request.id, index, text, tokens: [], logprobs });
  }

  /** Ends the whole request with one error. `keep` where the pages computed so far are known to be good. */
  private fail(live: LiveRequest, code: ErrorEvent['code'], message: string, keep: boolean): void {
    for (const choice of live.choices) {
      if (choice.sequence.state === 'finished') continue;
      this.scheduler.finish(choice.sequence, keep);
      this.choices.delete(choice.sequence);
    }
    this.forget(live);
    if (live.pin !== null) live.pin.settle({ error: { code: 'engine_failed', message } });
    else this.events.push({ type: 'error', id: live.request.id, code, message, retryAfterSeconds: null });
  }

  private forget(live: LiveRequest): void {
    this.requests.delete(live.request.id);
    this.deadlines.remove(live);
    if (live.queued) this.queued--;
    live.queued = false;
  }

  private releaseSlot(slot: number): void {
    this.context.clearSampler(slot);
    if (this.context.info.placement === 'sequences') this.context.trimSequence(slot, 0);
  }

  private countStep(plan: StepPlan, endMs: number, elapsedMs: number): void {
    this.stepTime.observe(plan, elapsedMs);
    this.totals.steps++;
    this.totals.lastStepAtMs = endMs;
    this.totals.promptTokens += plan.tokens - plan.decodes;
  }

  /** Accepted sequences fit the pool alone, so with nothing running one of them must start. */
  private assertProgress(plan: StepPlan): void {
    const { running, waiting } = this.scheduler;
    if (plan.size > 0 || plan.admitted.length > 0) return; // planned, and failed since
    if (running.length > 0 || waiting.size > 0) {
      throw new Error(`No progress with ${running.length} running and ${waiting.size} waiting sequences.`);
    }
  }
}

function refusal(code: ErrorEvent['code'], message: string, retryAfterSeconds: number | null = null) {
  return { code, message, retryAfterSeconds };
}

function samplerParams({ request: live, index }: Choice): SamplerParams {
  const { sampling } = live.request;
  // Penalties look at the whole text, as OpenAI describes them; each choice draws from a stream of its own.
  return { ...sampling, seed: (sampling.seed + index) >>> 0, penaltyLastN: -1 };
}

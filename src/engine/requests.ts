import { IndexedHeap } from '../support/indexed-heap.js';
import { Pace } from '../support/pace.js';
import type { Pieces } from './detokenizer.js';
import { type Choice, LiveRequest, type PinCall, type PinError, type PinResult } from './live-request.js';
import { promptOnly } from './prompt-only.js';
import type { Scheduler } from './scheduler.js';
import type { Sequence } from './sequence.js';
import type { EngineEvent, FinishReason, GenerateRequest, PinnedPrefix, TokenLogprob } from './types.js';

export interface RequestsDependencies {
  scheduler: Scheduler;
  maxContext: number; // tokens a sequence may have
  maxQueue: number; // requests that may wait
  maxSequences: number;
  canShare: boolean; // whether this model and configuration have a prefix cache
  canSpeculate: boolean;
  pieces: Pieces;
  nowMs(): number; // epoch
}

const longestRetrySeconds = 60;

type ErrorEvent = Extract<EngineEvent, { type: 'error' }>;
type Refusal = Omit<ErrorEvent, 'type' | 'id'>;

/**
 * Every request from its acceptance to its last event, and the events that it gets: each ends exactly once. What a
 * step does to a sequence is told to this, and becomes text, ends and errors here.
 */
export class Requests {
  rejections = 0;
  private readonly live = new Map<string, LiveRequest>();
  private readonly choices = new Map<Sequence, Choice>();
  private readonly deadlines = new IndexedHeap<LiveRequest>((a, b) => a.deadlineMs < b.deadlineMs);
  private readonly starts = new Pace(1_000); // requests leaving the queue
  private events: EngineEvent[] = [];
  private arrivals = 0;
  private queued = 0;

  constructor(private readonly dependencies: RequestsDependencies) {}

  get size(): number {
    return this.live.size;
  }

  /** The events since the last call. */
  takeEvents(): EngineEvent[] {
    const { events } = this;
    if (events.length > 0) this.events = [];
    return events;
  }

  /** Takes a request; one that is refused gets its error event. */
  submit(request: GenerateRequest): void {
    const refused = this.accept(request, null);
    if (refused === null) return;
    this.rejections++;
    this.events.push({ type: 'error', id: request.id, ...refused });
  }

  /** Computes a prompt and pins it; `settle` is called once. */
  pinPrefix(tenant: string, id: string, tokens: Int32Array, settle: (result: PinResult) => void): void {
    const requestId = `pin ${tenant.length}:${tenant}${id}`;
    const error =
      this.refusePin(tenant, id, requestId) ?? this.acceptPin(requestId, tenant, tokens, { id, settle });
    if (error !== null) settle({ error });
  }

  /** Ends a request at once. Unknown ids are ignored: it may have ended on its own. */
  cancel(id: string): void {
    const live = this.live.get(id);
    if (live !== undefined) for (const choice of live.choices) this.finish(choice, 'cancelled');
  }

  cancelAll(): void {
    for (const id of Array.from(this.live.keys())) this.cancel(id);
  }

  /** None where the request has ended meanwhile, perhaps with another of its choices. */
  choiceOf(sequence: Sequence): Choice | undefined {
    return this.choices.get(sequence);
  }

  /** Fails the requests whose deadline has passed. */
  expire(nowMs: number): void {
    for (let first = this.deadlines.peek(); first !== undefined; first = this.deadlines.peek()) {
      if (first.deadlineMs > nowMs) return;
      this.fail(first, 'deadline_exceeded', 'The deadline passed before the answer was complete.', true);
    }
  }

  /** A sequence of it runs for the first time. */
  started(live: LiveRequest, nowMs: number): void {
    if (!live.queued) return;
    live.queued = false;
    this.queued--;
    this.starts.mark(nowMs);
  }

  /** A prompt is computed: its request is told, and its other choices may start. */
  promptComputed(choice: Choice): void {
    const { request: live, sequence } = choice;
    if (!live.promptReported) this.reportPrompt(choice);
    if (sequence.length < sequence.maxLength) return;
    if (live.pin !== null) this.settlePin(choice, live.pin);
    this.finish(choice, 'length');
  }

  /** A token was appended to the choice's sequence. */
  advanced(choice: Choice, token: number, logprob: TokenLogprob | null): void {
    const { request: live, index, sequence, output } = choice;
    const text = output.push(token);
    const logprobs = logprob === null ? null : [logprob];
    this.events.push({ type: 'delta', id: live.request.id, index, text, tokens: [token], logprobs });
    if (output.stop !== null) this.finish(choice, 'stop');
    else if (sequence.length === sequence.maxLength) this.finish(choice, 'length');
  }

  finish(choice: Choice, finishReason: FinishReason): void {
    const { request: live, sequence } = choice;
    if (sequence.state === 'finished') return;
    this.dependencies.scheduler.finish(sequence, true);
    this.choices.delete(sequence);
    if (live.pin === null) this.reportEnd(choice, finishReason);
    else if (finishReason === 'cancelled')
      live.pin.settle({ error: { code: 'cancelled', message: 'The prefix was cancelled.' } });
    if (--live.openChoices === 0) this.forget(live);
  }

  /** Ends the whole request with one error. `keep` where the pages computed so far are known to be good. */
  fail(live: LiveRequest, code: ErrorEvent['code'], message: string, keep: boolean): void {
    for (const choice of live.choices) {
      if (choice.sequence.state === 'finished') continue;
      this.dependencies.scheduler.finish(choice.sequence, keep);
      this.choices.delete(choice.sequence);
    }
    this.forget(live);
    if (live.pin !== null) live.pin.settle({ error: { code: 'engine_failed', message } });
    else this.events.push({ type: 'error', id: live.request.id, code, message, retryAfterSeconds: null });
  }

  private accept(request: GenerateRequest, pin: PinCall | null): Refusal | null {
    const { scheduler, maxContext, canShare, canSpeculate, pieces } = this.dependencies;
    const refused = this.refuseLength(request) ?? this.refuseFullQueue();
    if (refused !== null) return refused;
    const nowMs = this.dependencies.nowMs();
    const arrival = this.arrivals++;
    const options = { request, arrival, nowMs, maxContext, canShare, canSpeculate, pieces, pin };
    const live = new LiveRequest(options);
    if (!scheduler.canEverFit(live.choices[0]!.sequence)) {
      const message = 'Prompt and answer together need more memory than this server has for them.';
      return refusal('request_too_large', message);
    }
    this.live.set(request.id, live);
    if (request.deadlineMs !== null) this.deadlines.push(live);
    this.queued++;
    for (const choice of live.choices) if (choice.output.stop !== null) this.finish(choice, 'stop');
    const first = live.choices.find(isOpen);
    if (first !== undefined) this.enqueue(first);
    return null;
  }

  private refuseLength({ prompt, maxTokens, resumed = [] }: GenerateRequest): Refusal | null {
    const { maxContext } = this.dependencies;
    const generated = Math.max(Math.min(maxTokens, 1), ...resumed.map(({ tokens }) => tokens.length));
    if (prompt.length + generated <= maxContext) return null;
    return refusal('request_too_large', `The prompt has ${prompt.length} tokens; at most ${maxContext} fit.`);
  }

  private refuseFullQueue(): Refusal | null {
    const { scheduler, maxQueue, maxSequences } = this.dependencies;
    if (this.queued < maxQueue + maxSequences - scheduler.running.length) return null;
    // What a newcomer would wait for: the time in which the queue, at its recent pace, is worked off.
    const retryAfterSeconds = this.starts.secondsFor(this.queued, longestRetrySeconds);
    return refusal('queue_full', `${this.queued} requests are waiting.`, retryAfterSeconds);
  }

  private enqueue(choice: Choice): void {
    this.choices.set(choice.sequence, choice);
    this.dependencies.scheduler.enqueue(choice.sequence);
  }

  private refusePin(tenant: string, id: string, requestId: string): PinError | null {
    const { scheduler, canShare } = this.dependencies;
    if (!canShare) return { code: 'unsupported_parameter', message: 'This model has no prefix cache.' };
    const exists = scheduler.prefixes.has(tenant, id) || this.live.has(requestId);
    return exists ? { code: 'duplicate_id', message: 'A prefix of this id exists.' } : null;
  }

  private acceptPin(requestId: string, tenant: string, tokens: Int32Array, pin: PinCall): PinError | null {
    const refused = this.accept(promptOnly(requestId, tenant, tokens), pin);
    if (refused === null) return null;
    const code = refused.code === 'queue_full' ? 'queue_full' : 'request_too_large';
    return { code, message: refused.message };
  }

  private settlePin({ request: live, sequence }: Choice, pin: PinCall): void {
    const prefix: PinnedPrefix = {
      id: pin.id,
      tenant: live.request.tenant,
      tokens: sequence.length,
      pages: sequence.sharedPages,
      createdAtMs: Math.round(this.dependencies.nowMs()),
      hits: 0,
    };
    const pinned = this.dependencies.scheduler.pin(sequence, prefix);
    const message = 'Requests in progress need the memory of this prefix.';
    pin.settle(pinned ? { prefix } : { error: { code: 'request_too_large', message } });
  }

  private reportPrompt(choice: Choice): void {
    const { request: live, sequence } = choice;
    live.promptReported = true;
    for (const other of live.choices) if (other !== choice && isOpen(other)) this.enqueue(other);
    if (live.pin !== null) return;
    this.events.push({
      type: 'prompt',
      id: live.request.id,
      cachedTokens: Math.min(sequence.cachedAtAdmission, sequence.promptLength),
      logprobs: live.promptLogprobs,
    });
  }

  /** First the text that was held back: now it is clear that nothing follows. */
  private reportEnd({ request: live, index, sequence, output }: Choice, finishReason: FinishReason): void {
    const { id, sampling } = live.request;
    const text = output.end();
    const logprobs = sampling.topLogprobs < 0 ? null : [];
    if (text !== '') this.events.push({ type: 'delta', id, index, text, tokens: [], logprobs });
    this.events.push({
      type: 'done',
      id,
      index,
      finishReason: output.stop === null ? finishReason : 'stop',
      stopSequence: output.stop,
      completionTokens: sequence.generated,
    });
  }

  private forget(live: LiveRequest): void {
    this.live.delete(live.request.id);
    this.deadlines.remove(live);
    if (live.queued) this.queued--;
    live.queued = false;
  }
}

function isOpen({ sequence }: Choice): boolean {
  return sequence.state !== 'finished';
}

function refusal(
  code: ErrorEvent['code'],
  message: string,
  retryAfterSeconds: number | null = null,
): Refusal {
  return { code, message, retryAfterSeconds };
}

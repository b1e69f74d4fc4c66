import assert from 'node:assert/strict';
import { windowPagesNeeded } from '../../src/engine/attention-window.js';
import type { PinResult } from '../../src/engine/live-request.js';
import { PageStore } from '../../src/engine/page-store/page-store.js';
import { greedySampling } from '../../src/engine/prompt-only.js';
import type { Sequence } from '../../src/engine/sequence.js';
import { EngineCore, type StepContext } from '../../src/engine/step-loop.js';
import type { EngineEvent, GenerateRequest } from '../../src/engine/types.js';
import type { WindowConfig } from '../../src/engine/window-pages.js';
import { deriveSeed } from '../../src/support/random.js';
import { auditScheduler } from './audit.js';
import { FakeContext, type FakeContextOptions } from './fake-context.js';
import { FakeDisk } from './fake-disk.js';
import { vocab, vocabSize } from './fake-model.js';
import { answerAlone, promptLogprobsAlone } from './oracle.js';
import { Random } from './random.js';

const tenants = ['', 'a', 'b'];
const sessions = ['s1', 's2', 's3'];
const maxDrainSteps = 20_000;

/** Everyone of whoever has many decodes again within so many of the engine's steps. */
const maxStepsBetweenTurns = 100;

interface Received {
  request: GenerateRequest;
  prompts: number;
  texts: string[];
  tokens: number[][];
  done: boolean[];
  error: Extract<EngineEvent, { type: 'error' }> | null;
  cancelled: boolean;
}

export interface RunSummary {
  steps: number;
  requests: number;
  finished: number;
  errors: number;
  preemptions: number;
  prefixHits: number;
  drafted: number;
  accepted: number;
  restored: number;
  fetched: number;
  turnsTaken: number; // steps in which some that decode sat out
}

/** One seeded run of the engine over a fake model: random load and faults first, then no more until all is done. */
export class World {
  /** Times at which something may arrive, be cancelled, pinned or unpinned. */
  readonly ticks: number;
  private random: Random; // of one tick, so that a run without some ticks is the same in the others
  private readonly core: EngineCore;
  private readonly context: FakeContext;
  private readonly received = new Map<string, Received>();
  private readonly live: string[] = [];
  private readonly bases: Int32Array[];
  private readonly pins: { tenant: string; id: string; result: PinResult | null }[] = [];
  private readonly maxContext: number;
  private readonly columns: number;
  private readonly faultRate: number;
  private readonly copyMs: number; // of a page
  private readonly paged: boolean;
  private nowMs = 1_000_000;
  private nextId = 0;
  private turnsTaken = 0;
  private readonly satOut = new Map<Sequence, number>(); // steps in a row

  constructor(private readonly seed: number) {
    const random = new Random(seed);
    this.random = random;
    const pageSize = random.pick([2, 4, 8]);
    const maxSequences = random.int(1, 8);
    const maxBatchTokens = maxSequences + random.int(0, 60);
    this.paged = random.chance(0.85);
    const window =
      this.paged && random.chance(0.6) ? this.randomWindow(pageSize, maxSequences, maxBatchTokens) : null;
    // Window pages are fewer than the others, or there are none.
    const pages = random.int(6, 40) + (window?.pages ?? 0);
    this.faultRate = random.chance(0.4) ? 0.01 : 0;
    this.copyMs = random.pick([0.01, 0.1, 5]);
    this.maxContext = Math.min(pages * pageSize, random.int(16, 120));
    this.columns = Math.ceil(this.maxContext / pageSize);
    const config = {
      pageSize,
      pages,
      window,
      maxSequences,
      guestSequences: random.int(0, maxSequences - 1),
      maxPagesPerSequence: this.columns,
      maxBatchTokens,
      maxOutputs: maxSequences + random.int(1, 16),
      targetStepMs: random.pick([0, 5, 50]),
      watermark: random.pick([0, 0.01, 0.2]),
      sessionMaxTokens: random.pick([0, 30, 200]),
      prefixCache: random.chance(0.9),
      draftTokens: random.pick([0, 3, 8]),
      maxContext: this.maxContext,
      maxQueue: random.int(0, 40),
    };
    this.bases = Array.from({ length: 4 }, () =>
      this.randomTokens(random.int(1, Math.ceil(this.maxContext * 0.8))),
    );
    let context: FakeContext | undefined;
    this.core = new EngineCore({
      config,
      vocab,
      createContext: (blockTables, windowTable) => {
        const placement = this.paged ? 'pages' : 'sequences';
        context = new FakeContext({
          ...config,
          placement,
          blockTables,
          windowTable,
          before: (call, n) => this.beforeCall(call, n),
        });
        return context;
      },
      createStore: (of) => this.createStore(of, pageSize),
      nowMs: () => this.nowMs,
      emit: (events) => this.receive(events),
      onFault: (error) => assert.match((error as Error).message, /^injected/),
    });
    this.context = context!;
    this.ticks = random.int(10, 80);
  }

  /** Window pages as few as can be, or some more. */
  private randomWindow(pageSize: number, sequences: number, batchTokens: number): WindowConfig {
    const { random } = this;
    const window = { kind: random.pick(['sliding', 'chunked'] as const), size: random.int(1, 20) };
    const reserved = windowPagesNeeded(window, pageSize, sequences, batchTokens);
    return { ...window, pages: reserved + (random.chance(0.5) ? 0 : random.int(1, 20)), reserved };
  }

  /** Evicted pages in a host tier of a few pages, with and without a disk behind it; or nowhere. */
  private createStore(context: StepContext, pageSize: number): PageStore | null {
    const { random } = this;
    if (random.chance(0.3)) return null;
    return new PageStore({
      context,
      pageSize,
      hostBytes: random.int(1, 60) * context.info.bytesPerPage,
      salt: 'fake',
      disk: random.chance(0.6) ? new FakeDisk(random, this.faultRate * 10) : null,
      nowMs: () => this.nowMs,
      onFault: (error) => assert.match((error as Error).message, /^injected/),
    });
  }

  /** With load in all ticks, or only in some: what is left of a run that failed. */
  run(loaded?: ReadonlySet<number>): RunSummary {
    for (let tick = 0; tick < this.ticks; tick++) {
      this.random = new Random(deriveSeed(this.seed, tick));
      if (loaded?.has(tick) !== false) this.act();
      if (this.core.hasWork) this.step();
      else this.nowMs += 50;
    }
    this.drain();
    this.checkRest();
    return this.summary();
  }

  private act(): void {
    const { random } = this;
    const arrivals = random.chance(0.2) ? random.int(1, 4) : 0;
    for (let i = 0; i < arrivals; i++) this.submit();
    if (random.chance(0.08) && this.live.length > 0) this.cancel(random.pick(this.live));
    if (random.chance(0.03)) this.pin();
    if (random.chance(0.03) && this.pins.length > 0) this.unpin();
    this.core.flush();
    this.audit();
  }

  private step(): void {
    this.core.step();
    if (this.core.isBlocked) this.nowMs += 1;
    this.watchTurns();
    this.audit();
  }

  private watchTurns(): void {
    let someSatOut = false;
    for (const sequence of this.core.scheduler.running) {
      if (sequence.state !== 'decoding' || !sequence.sitsOut) this.satOut.delete(sequence);
      else {
        const steps = (this.satOut.get(sequence) ?? 0) + 1;
        assert.ok(steps <= maxStepsBetweenTurns, 'a sequence never has its turn');
        this.satOut.set(sequence, steps);
        someSatOut = true;
      }
    }
    if (someSatOut) this.turnsTaken++;
  }

  private audit(): void {
    auditScheduler(this.core.scheduler, this.columns, tenants);
  }

  private drain(): void {
    for (let step = 0; this.core.hasWork; step++) {
      assert.ok(step < maxDrainSteps, 'the engine makes no progress');
      this.step();
    }
  }

  private submit(): void {
    const request = this.randomRequest();
    this.received.set(request.id, {
      request,
      prompts: 0,
      texts: Array.from({ length: request.choices }, () => ''),
      tokens: Array.from({ length: request.choices }, () => []),
      done: Array.from({ length: request.choices }, () => false),
      error: null,
      cancelled: false,
    });
    this.live.push(request.id);
    this.core.submit(request);
    this.core.flush();
  }

  private cancel(id: string): void {
    this.received.get(id)!.cancelled = true;
    this.core.cancel(id);
    this.core.cancel(id); // twice is as good as once
    this.core.flush();
    const { done, error } = this.received.get(id)!;
    assert.ok(error !== null || done.every(Boolean), 'a cancel ends the request at once');
  }

  private pin(): void {
    const pin = {
      tenant: this.random.pick(tenants),
      id: `p${this.pins.length}`,
      result: null as PinResult | null,
    };
    const tokens = this.prompt().slice(0, this.random.int(1, 40));
    this.pins.push(pin);
    this.core.pinPrefix(pin.tenant, pin.id, tokens, (result) => {
      assert.equal(pin.result, null, 'a pin is settled once');
      pin.result = result;
    });
  }

  private unpin(): void {
    const pin = this.random.pick(this.pins);
    const listed = this.core.listPrefixes(pin.tenant).some((prefix) => prefix.id === pin.id);
    assert.equal(this.core.unpinPrefix(pin.tenant, pin.id), listed);
  }

  private randomRequest(): GenerateRequest {
    const { random } = this;
    return {
      id: `r${this.nextId++}`,
      tenant: random.pick(tenants),
      prompt: this.prompt(),
      choices: random.chance(0.2) ? random.int(2, 4) : 1,
      maxTokens: random.chance(0.1) ? 0 : random.int(1, 40),
      sampling: {
        ...greedySampling,
        temperature: 1,
        seed: random.uint32(),
        ignoreEos: random.chance(0.3),
        topLogprobs: random.chance(0.2) ? random.int(0, 5) : -1,
        grammar: random.chance(0.02) ? 'bad' : '',
      },
      stop: random.chance(0.3)
        ? [random.pick(['ab', 'bc a', '€', 'abab', '\uFFFDa']), random.pick(['dd', 'b', ''])]
        : [],
      priority: random.int(0, 2),
      deadlineMs: random.chance(0.15) ? this.nowMs + random.int(0, 2_000) : null,
      sessionId: random.chance(0.2) ? random.pick(sessions) : null,
      promptLogprobs: random.chance(0.15) ? random.int(0, 3) : -1,
      cachePrompt: random.chance(0.9),
    };
  }

  private prompt(): Int32Array {
    const base = this.random.pick(this.bases);
    const head = base.subarray(0, this.random.int(1, base.length));
    return Int32Array.from([...head, ...this.randomTokens(this.random.int(0, 12))]);
  }

  private randomTokens(length: number): Int32Array {
    return Int32Array.from({ length }, () => this.random.int(1, vocabSize - 1));
  }

  private beforeCall(call: Parameters<FakeContextOptions['before']>[0], count: number): void {
    const isCopy = call === 'readPage' || call === 'writePage';
    this.nowMs += isCopy ? this.copyMs : 2 + count * 0.5 + this.random.unit();
    if (this.random.chance(this.faultRate)) throw new Error('injected fault');
  }

  private receive(events: EngineEvent[]): void {
    for (const event of events) {
      const received = this.received.get(event.id)!;
      assert.ok(received.error === null, 'nothing follows an error');
      assert.ok(!received.done.every(Boolean), 'nothing follows the last done');
      this.receiveOne(received, event);
      if (received.error !== null || received.done.every(Boolean))
        this.live.splice(this.live.indexOf(event.id), 1);
    }
  }

  private receiveOne(received: Received, event: EngineEvent): void {
    switch (event.type) {
      case 'prompt':
        assert.equal(received.prompts++, 0, 'one prompt event');
        assert.ok(event.cachedTokens < received.request.prompt.length, 'at least one token is computed');
        assert.deepEqual(event.logprobs, promptLogprobsAlone(received.request));
        return;
      case 'delta':
        assert.equal(received.prompts, 1, 'the prompt comes first');
        assert.ok(!received.done[event.index], 'nothing follows done');
        assert.equal(
          event.logprobs?.length ?? -1,
          received.request.sampling.topLogprobs < 0 ? -1 : event.tokens.length,
        );
        received.texts[event.index] += event.text;
        received.tokens[event.index]!.push(...event.tokens);
        return;
      case 'done':
        assert.ok(!received.done[event.index], 'one done for each choice');
        received.done[event.index] = true;
        this.checkAnswer(received, event);
        return;
      case 'error':
        received.error = event;
        this.checkError(received, event);
    }
  }

  private checkAnswer(received: Received, event: Extract<EngineEvent, { type: 'done' }>): void {
    const answer = answerAlone(received.request, event.index, this.maxContext);
    const tokens = received.tokens[event.index]!;
    assert.equal(event.completionTokens, tokens.length);
    if (event.finishReason === 'cancelled') {
      assert.ok(received.cancelled, 'only who was cancelled ends so');
      assert.deepEqual(tokens, answer.tokens.slice(0, tokens.length));
      return;
    }
    const { finishReason, stopSequence } = event;
    assert.deepEqual({ tokens, text: received.texts[event.index], finishReason, stopSequence }, answer);
  }

  private checkError(
    received: Received,
    { code, retryAfterSeconds }: Extract<EngineEvent, { type: 'error' }>,
  ): void {
    const { request } = received;
    assert.equal(retryAfterSeconds !== null, code === 'queue_full');
    if (code === 'engine_failed') assert.ok(this.faultRate > 0, 'no failure without a fault');
    if (code === 'deadline_exceeded')
      assert.ok(request.deadlineMs !== null && request.deadlineMs <= this.nowMs);
    if (code === 'invalid_grammar') assert.equal(request.sampling.grammar, 'bad');
    if (code === 'request_too_large') {
      const tooLong = request.prompt.length + Math.min(request.maxTokens, 1) > this.maxContext;
      assert.ok(tooLong || this.core.scheduler.cache.pinnedPages > 0, 'only what cannot fit is refused');
    }
  }

  /** After everything ended, nothing is held but what sessions and pins hold, and then nothing at all. */
  private checkRest(): void {
    const { scheduler } = this.core;
    assert.equal(this.live.length, 0, 'every request has ended');
    assert.ok(
      this.pins.every((pin) => pin.result !== null),
      'every pin is settled',
    );
    assert.equal(scheduler.running.length + scheduler.waiting.size + scheduler.pool.live, 0);
    while (scheduler.sessions.dropOldest());
    for (const { tenant, id } of this.pins) this.core.unpinPrefix(tenant, id);
    assert.equal(scheduler.placement.windows?.held ?? 0, 0);
    assert.equal(scheduler.placement.windows?.pinned ?? 0, 0);
    const held = scheduler.pool.total - scheduler.pool.free;
    assert.equal(scheduler.cache.evict(scheduler.pool.total), held);
    assert.equal(scheduler.pool.free, scheduler.pool.total);
    assert.equal(scheduler.placement.windows?.free, scheduler.placement.windows?.total);
    assert.equal(scheduler.cache.tenants, 0, 'empty trees are gone');
  }

  private summary(): RunSummary {
    const all = Array.from(this.received.values());
    const stats = this.core.stats();
    return {
      steps: this.context.forwards,
      requests: all.length,
      finished: all.filter(({ done }) => done.every(Boolean)).length,
      errors: all.filter(({ error }) => error !== null).length,
      preemptions: stats.preemptions,
      prefixHits: stats.prefixHits,
      drafted: stats.draftedTokens,
      accepted: stats.acceptedTokens,
      restored: stats.pagesRestored,
      fetched: stats.pagesFetched,
      turnsTaken: this.turnsTaken,
    };
  }
}

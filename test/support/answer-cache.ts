import assert from 'node:assert/strict';
import { AnswerCache, type Compute } from '../../src/cache/answer-cache.js';
import type { CacheEntry, LowerLevel, PurgeSelector } from '../../src/cache/types.js';
import { configSchema } from '../../src/config/index.js';
import { noAccounting } from '../../src/cost/accounting.js';
import { Tab } from '../../src/cost/tab.js';
import type { FinishReason, GenerationEvent, GenerationSink, Usage } from '../../src/generation/types.js';
import type { Errand } from '../../src/routing/router.js';
import { Metrics } from '../../src/telemetry/metrics.js';
import { untraced } from '../../src/telemetry/trace.js';
import { started } from './cache-entries.js';
import { planOf, requestOf } from './plan.js';

/** The cache's stage alone: computations are scripted, time stands still unless it is moved. */

export class FakeLevel implements LowerLevel {
  readonly level = 'l2';
  readonly entries = new Map<string, CacheEntry>();
  find: LowerLevel['find'] = async ({ key }) => this.entries.get(key) ?? null;
  tell: (selector: PurgeSelector) => void = () => undefined;

  async put(entry: CacheEntry): Promise<void> {
    this.entries.set(entry.key, entry);
  }

  async purge(): Promise<number> {
    const { size } = this.entries;
    this.entries.clear();
    return size;
  }

  async stats() {
    return { entries: this.entries.size, bytes: 0 };
  }

  onPurge(listener: (selector: PurgeSelector) => void): void {
    this.tell = listener;
  }

  async close(): Promise<void> {}
}

export function setup(options: { lower?: FakeLevel[]; settings?: object } = {}) {
  const clock = { nowMs: Date.now() };
  const faults: unknown[] = [];
  const cache = new AnswerCache({
    settings: configSchema.parse({ cache: { diskTimeoutMs: 10_000, ttlJitter: 0, ...options.settings } })
      .cache,
    scope: { version: '1', defaultMaxTokens: 100, guardRevisionOf: () => null },
    lower: options.lower ?? [],
    metrics: new Metrics({ processMetrics: false }).cache,
    ask: () => assert.fail('no model is to be asked'),
    nowMs: () => clock.nowMs,
    random: () => 0,
    onFault: (error) => faults.push(error),
  });
  return { cache, clock, faults };
}

export interface Asked extends Errand {
  events: GenerationEvent[];
  text: string;
  abort: AbortController;
}

export async function errandOf(wire: object = {}, cacheControl?: string): Promise<Asked> {
  const request = requestOf(
    { prompt: 'a', temperature: 0, ...wire },
    cacheControl === undefined ? {} : { cacheControl },
  );
  const tab = new Tab(await noAccounting.admit({ id: request.id, caller: request.caller, tokens: 0 }));
  const events: GenerationEvent[] = [];
  const abort = new AbortController();
  const plan = planOf(request, [{ id: 'm' }]);
  const asked = { plan, request, tab, events, abort, signal: abort.signal, trace: untraced, text: '' };
  const sink: GenerationSink = (event) => {
    events.push(event);
    if (event.type === 'delta') asked.text += event.text;
  };
  return Object.assign(asked, { sink });
}

export const usage: Usage = { promptTokens: 1, completionTokens: 3, cachedTokens: 0, nanodollars: 5 };
export const delta = (text: string): GenerationEvent => ({
  type: 'delta',
  choice: 0,
  text,
  message: null,
  tokens: [-1],
  logprobs: null,
});
export const done = (finishReason: FinishReason): GenerationEvent => ({
  type: 'done',
  choice: 0,
  finishReason,
  stopSequence: null,
});

/** A computation that the test drives. */
export class Computation {
  calls = 0;
  sink!: GenerationSink;
  stop!: AbortSignal;
  end!: (finishReason?: FinishReason) => void;
  fail!: (error: unknown) => void;

  readonly compute: Compute = (sink, stop) => {
    this.calls += 1;
    this.sink = sink;
    this.stop = stop;
    return new Promise((resolve, reject) => {
      this.end = (finishReason = 'stop') => {
        sink(done(finishReason));
        resolve(usage);
      };
      this.fail = reject;
      stop.addEventListener('abort', () => this.end('cancelled'));
    });
  };

  begin(text: string): void {
    this.sink(started);
    this.sink(delta(text));
  }
}

export const says =
  (text: string, finishReason: FinishReason = 'stop'): Compute =>
  async (sink) => {
    for (const event of [started, delta(text), done(finishReason)]) sink(event);
    return usage;
  };
export const mustNot: Compute = () => assert.fail('there is an answer already');
export const turn = () => new Promise(setImmediate);

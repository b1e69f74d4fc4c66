import type { PageStore } from '../../src/engine/page-store/page-store.js';
import { greedySampling } from '../../src/engine/prompt-only.js';
import { type CoreConfig, EngineCore, type StepContext } from '../../src/engine/step-loop.js';
import type { EngineEvent, GenerateRequest } from '../../src/engine/types.js';
import type { Batch } from '../../src/native/types.js';
import { FakeContext, type FakeContextOptions } from './fake-context.js';
import { vocab } from './fake-model.js';

export interface TestCore {
  core: EngineCore;
  context: FakeContext;
  events: EngineEvent[];
  clock: { nowMs: number };
  /** Steps until nothing is left to do. */
  finish(): void;
  /** Events of one request. */
  of(id: string): EngineEvent[];
  text(id: string, index?: number): string;
}

export const smallConfig: CoreConfig = {
  pageSize: 4,
  pages: 64,
  window: null,
  maxSequences: 8,
  guestSequences: 0,
  maxPagesPerSequence: 32,
  maxBatchTokens: 64,
  maxOutputs: 16,
  targetStepMs: 0,
  watermark: 0,
  sessionMaxTokens: 1_000,
  prefixCache: true,
  draftTokens: 0,
  maxContext: 128,
  maxQueue: 100,
};

/** An engine over the fake model, with a clock that stands still unless `before` moves it. */
export function testCore(
  overrides: Partial<CoreConfig> = {},
  before: (call: string, tokens: number, clock: { nowMs: number }, batch?: Batch) => void = () => {},
  placement: FakeContextOptions['placement'] = 'pages',
  createStore: (context: StepContext, clock: { nowMs: number }) => PageStore | null = () => null,
): TestCore {
  const config = { ...smallConfig, ...overrides };
  const events: EngineEvent[] = [];
  const clock = { nowMs: 1_000_000 };
  let context: FakeContext | undefined;
  const core = new EngineCore({
    config,
    vocab,
    createContext: (blockTables, windowTable) => {
      context = new FakeContext({
        ...config,
        placement,
        blockTables,
        windowTable,
        before: (call, n, batch) => before(call, n, clock, batch),
      });
      return context;
    },
    createStore: (of) => createStore(of, clock),
    nowMs: () => clock.nowMs,
    emit: (step) => events.push(...step),
    onFault: () => {},
  });
  const of = (id: string) => events.filter((event) => event.id === id);
  return {
    core,
    context: context!,
    events,
    clock,
    of,
    finish: () => {
      while (core.hasWork) core.step();
      core.flush();
    },
    text: (id, index = 0) =>
      of(id)
        .map((event) => (event.type === 'delta' && event.index === index ? event.text : ''))
        .join(''),
  };
}

let ids = 0;

export function request(overrides: Partial<GenerateRequest> = {}): GenerateRequest {
  return {
    id: `q${ids++}`,
    tenant: 'a',
    prompt: Int32Array.of(1, 2, 3),
    choices: 1,
    maxTokens: 4,
    sampling: { ...greedySampling, seed: 1, ignoreEos: true },
    stop: [],
    priority: 1,
    deadlineMs: null,
    sessionId: null,
    promptLogprobs: -1,
    cachePrompt: true,
    ...overrides,
  };
}

/** `length` tokens of the fake vocabulary that depend on `salt`. */
export function prompt(length: number, salt = 0): Int32Array {
  return Int32Array.from({ length }, (_, i) => 1 + ((i * 7 + salt * 5 + (i >> 2)) % 13));
}

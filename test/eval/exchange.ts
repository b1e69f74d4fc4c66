import type { Exchange } from '../../src/eval/live/sample.js';

/** A request that was answered, as live evaluation sees it. */
export function exchange(more: Partial<Exchange> = {}): Exchange {
  return {
    requestId: 'r',
    tenant: 'default',
    keyId: null,
    atMs: 0,
    route: null,
    variant: null,
    model: 'm',
    question: { mode: 'completion', prompt: 'q' },
    answer: 'a',
    finishReason: 'stop',
    maxTokens: null,
    stop: [],
    latencyMs: 100,
    nanodollars: null,
    quality: null,
    cacheLevel: null,
    guardWarnings: [],
    ...more,
  };
}

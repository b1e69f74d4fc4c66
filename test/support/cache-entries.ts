import assert from 'node:assert/strict';
import type { CacheEntry, Question } from '../../src/cache/types.js';
import type { GenerationEvent } from '../../src/generation/types.js';
import { planOf, requestOf } from './plan.js';

const request = requestOf({ prompt: 'a' });
const plan = planOf(request, [{ id: 'm' }]);
const ask = () => assert.fail('no model is to be asked');
export const questionOf = (key: string): Question => ({
  key,
  promptHead: '',
  model: 'm',
  plan,
  request,
  ask,
});

export const started: Extract<GenerationEvent, { type: 'start' }> = {
  type: 'start',
  model: 'm',
  vocab: null,
  route: null,
  warning: null,
  trimmed: [],
  quota: {},
};

/** An answer with a bit of everything. */
export function entryOf(key: string, more: Partial<CacheEntry> = {}): CacheEntry {
  return {
    key,
    tenant: 't',
    model: 'm',
    promptHead: 'Once',
    storedAtMs: 0,
    expiresAtMs: 1000,
    bytes: 77,
    similarity: null,
    answer: {
      events: [
        started,
        { type: 'prompt', prompt: 0, tokens: Int32Array.of(1, 2), cachedTokens: 0, logprobs: null },
        {
          type: 'delta',
          choice: 0,
          text: 'naïve 🙂',
          message: null,
          tokens: [-1],
          logprobs: [{ token: -1, piece: Uint8Array.of(1, 2), logprob: -0.25, top: [] }],
        },
        { type: 'done', choice: 0, finishReason: 'stop', stopSequence: null },
      ],
      needsVocab: false,
      facts: { promptTokens: 2, completionTokens: 1, isEstimated: false, quality: 0.5 },
    },
    ...more,
  };
}

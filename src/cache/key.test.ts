import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type PlannedModel, planOf, requestOf } from '../../test/support/plan.js';
import type { Caller } from '../auth/caller.js';
import { guardSchema } from '../config/guard-schema.js';
import { guardRevisions } from '../guards/revision.js';
import type { Plan } from '../routing/plan.js';
import { cacheKey } from './key.js';

type Wire = Record<string, unknown>;

interface Around {
  caller?: Partial<Caller>;
  models?: PlannedModel[];
  plan?: Partial<Plan>;
  version?: string;
  defaultMaxTokens?: number;
  guards?: object;
}

function keyOf(wire: Wire, around: Around = {}): string | null {
  const { caller = {}, models = [{ id: 'm' }], plan = {}, version = '1', defaultMaxTokens = 1024 } = around;
  const request = requestOf(wire, { caller });
  const guardRevisionOf = guardRevisions(guardSchema.parse(around.guards ?? {}));
  const scope = { version, defaultMaxTokens, guardRevisionOf };
  return cacheKey(planOf(request, models, plan), request, scope);
}

const ownGuards = (threshold: number) => ({
  profiles: { own: { output: [{ guard: 'moderation', threshold }] } },
});

const text = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' });
const sampled = {
  temperature: fc.constantFrom(0, 0.5, 1),
  seed: fc.nat(1000),
  top_p: fc.constantFrom(0.5, 0.9),
  max_tokens: fc.integer({ min: 1, max: 100 }),
  n: fc.integer({ min: 1, max: 3 }),
  stop: fc.array(text, { maxLength: 3 }),
  frequency_penalty: fc.constantFrom(0, 1),
};
const optional = { requiredKeys: [] };
const completion = fc
  .tuple(
    fc.record({ prompt: fc.oneof(text, fc.array(text, { minLength: 1, maxLength: 3 })) }),
    fc.record(sampled, optional),
  )
  .map(([own, shared]): Wire => ({ ...own, ...shared }));
const message = fc.record({ role: fc.constantFrom('user', 'assistant', 'system'), content: text });
const chat = fc
  .tuple(
    fc.record({ messages: fc.array(message, { minLength: 1, maxLength: 4 }) }),
    fc.record(sampled, optional),
  )
  .map(([own, shared]): Wire => ({ ...own, ...shared }));
const anyWire = fc.oneof(completion, chat);

test('what only says how, when and for whom it is answered leaves the key as it is', () => {
  const indifferent = fc.record(
    {
      stream: fc.boolean(),
      user: text,
      priority: fc.nat(9),
      timeout_ms: fc.integer({ min: 1000, max: 9999 }),
      session_id: text,
      cache_prompt: fc.boolean(),
      cache: fc.boolean(),
      max_cost: fc.constantFrom(1, 2),
      stream_options: fc.record({ include_usage: fc.boolean() }),
    },
    optional,
  );
  fc.assert(
    fc.property(anyWire, indifferent, fc.boolean(), (wire, more, isAdmin) => {
      assert.equal(keyOf({ ...wire, ...more }, { caller: { user: 'u', team: 't', isAdmin } }), keyOf(wire));
    }),
  );
});

test('the order of fields, stops and biases, and repetitions, leave the key as it is', () => {
  fc.assert(
    fc.property(anyWire, fc.uniqueArray(text, { minLength: 2, maxLength: 4 }), (wire, stops) => {
      const one = { ...wire, stop: stops, logit_bias: { 5: 1, 12: -1 } };
      const reversed = Object.fromEntries(Object.entries(one).reverse());
      const other = {
        ...reversed,
        stop: [...stops].reverse().concat(stops[0]!),
        logit_bias: { 12: -1, 5: 1, 7: 0 },
      };
      assert.equal(keyOf(other), keyOf(one));
    }),
  );
});

test('a greedy answer depends on neither the seed nor the cuts of the distribution; another does', () => {
  fc.assert(
    fc.property(anyWire, fc.nat(1000), (wire, seed) => {
      const greedy = { ...wire, temperature: 0 };
      assert.equal(keyOf({ ...greedy, seed, top_p: 0.3, top_k: 7, min_p: 0.1 }), keyOf(greedy));
      const warm = { ...wire, temperature: 1, seed, top_p: 0.9 };
      assert.notEqual(keyOf({ ...warm, seed: seed + 1 }), keyOf(warm));
      assert.notEqual(keyOf({ ...warm, top_p: 0.8 }), keyOf(warm));
    }),
  );
});

test('an upstream may make of the seed what it likes, and knows its own temperature only', () => {
  const around = { models: [{ id: 'm', isUpstream: true }] };
  const key = (wire: Wire) => keyOf({ prompt: 'a', ...wire }, around);
  assert.notEqual(key({ temperature: 0, seed: 1 }), key({ temperature: 0, seed: 2 }));
  assert.notEqual(key({ seed: 1 }), key({ seed: 1, temperature: 0.7 }));
});

test('whatever decides over the answer changes the key', () => {
  const changes: Wire[] = [
    { prompt: 'another' },
    { prompt: ['a', 'b'] },
    { prompt: [97] },
    { prompt: ['a', 'a'] },
    { max_tokens: 9 },
    { n: 2 },
    { stop: 'x' },
    { temperature: 0.5, seed: 1 },
    { repeat_penalty: 1.5 },
    { presence_penalty: 1 },
    { frequency_penalty: 1 },
    { logit_bias: { 5: 1 } },
    { ignore_eos: true },
    { logprobs: 2 },
    { echo: true },
    { grammar: 'root ::= "a"' },
    { response_format: { type: 'json_object' } },
    {
      response_format: {
        type: 'json_schema',
        json_schema: { schema: { type: 'object', properties: { a: {}, b: {} } } },
      },
    },
    {
      response_format: {
        type: 'json_schema',
        json_schema: { schema: { type: 'object', properties: { b: {}, a: {} } } },
      },
    },
    { optimize_prompt: true },
    { optimize_prompt: { strategy: 'middle_out' } },
    { optimize_prompt: { max_tokens: 10 } },
  ];
  const base = { prompt: 'a', temperature: 0 };
  const around: Around[] = [
    { caller: { tenant: 'other' } },
    { caller: { guardProfile: 'default' } },
    { caller: { guardProfile: 'own' }, guards: ownGuards(0.5) },
    { caller: { guardProfile: 'own' }, guards: ownGuards(0.6) },
    { models: [{ id: 'other' }] },
    { models: [{ id: 'm', revision: 'r2' }] },
    { version: '2' },
    { defaultMaxTokens: 9 },
    { plan: { cascade: { threshold: 0.7, estimator: 'combined' } } },
  ];
  const keys = [
    keyOf(base),
    ...changes.map((change) => keyOf({ ...base, ...change })),
    ...around.map((each) => keyOf(base, each)),
  ];
  assert.equal(new Set(keys).size, keys.length);
});

test('conversations that differ anywhere have different keys', () => {
  fc.assert(
    fc.property(chat, chat, (one, other) => {
      fc.pre(JSON.stringify(one.messages) !== JSON.stringify(other.messages));
      assert.notEqual(keyOf({ messages: one.messages }), keyOf({ messages: other.messages }));
    }),
  );
  const parts = [
    { type: 'text', text: 'a' },
    { type: 'text', text: 'b' },
  ];
  assert.equal(
    keyOf({ messages: [{ role: 'user', content: parts }] }),
    keyOf({ messages: [{ role: 'user', content: 'ab' }] }),
  );
});

test('a plan is known by its first model; a cascade by all, and by what it may cost', () => {
  const wire = { prompt: 'a' };
  const two = [{ id: 'm' }, { id: 'n' }];
  assert.equal(keyOf(wire, { models: two }), keyOf(wire));
  const plan = { cascade: { threshold: 0.7, estimator: 'combined' } } as const;
  const cascade = (more: Wire, models = two) => keyOf({ ...wire, ...more }, { models, plan });
  assert.notEqual(cascade({}, [{ id: 'm' }, { id: 'o' }]), cascade({}));
  assert.notEqual(cascade({ max_cost: 1 }), cascade({}));
  assert.notEqual(cascade({ quality_threshold: 0.5 }), cascade({}));
});

test('a model that was never loaded, and a pinned prefix, have no key', () => {
  assert.equal(keyOf({ prompt: 'a' }, { models: [{ id: 'm', revision: null }] }), null);
  assert.equal(keyOf({ prompt: 'a', prefix_id: 'p' }), null);
});

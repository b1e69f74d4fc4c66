import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exchange } from '../../../test/eval/exchange.js';
import { configSchema, type EvaluationConfig } from '../../config/index.js';
import type { Exchange } from './sample.js';
import { Sampling } from './sampling.js';

const defaults = configSchema.parse({}).evaluation;
const ofKey = (more: Partial<Exchange>) => exchange({ keyId: 'k', ...more });

function takenOf(config: Partial<EvaluationConfig>, more: Partial<Exchange> = {}): number {
  const sampling = new Sampling({ ...defaults, ...config });
  const ids = Array.from({ length: 20_000 }, (_, index) => `cmpl-${index}`);
  return ids.filter((requestId) => sampling.reasons(ofKey({ requestId, ...more })).length > 0).length;
}

test('about the share is taken, and always the same', () => {
  const taken = takenOf({});
  assert.ok(taken > 150 && taken < 250, `${taken} of 20,000 at 1 %`);
  assert.equal(takenOf({}), taken);
  assert.equal(takenOf({ share: 1 }), 20_000);
});

test('a key’s share goes before a route’s, and that before the general one', () => {
  const config = { routes: { chat: 1, m: 0.5 }, keys: { quiet: 0, loud: 1 } };
  assert.equal(takenOf(config, { route: 'chat' }), 20_000);
  assert.ok(Math.abs(takenOf(config) - 10_000) < 400, 'a model by its own name');
  assert.equal(takenOf(config, { route: 'chat', keyId: 'quiet' }), 0);
  assert.equal(takenOf(config, { keyId: 'loud' }), 20_000);
});

test('rules take what the share would not, but nothing where it is 0', () => {
  const rare = new Sampling({ ...defaults, share: 1e-9 });
  assert.deepEqual(rare.reasons(ofKey({ quality: 0.1 })), ['low_confidence']);
  assert.deepEqual(rare.reasons(ofKey({ quality: 0.9 })), []);
  assert.deepEqual(rare.reasons(ofKey({ cacheLevel: 'l3', guardWarnings: ['pii/email'] })), [
    'cache_hit',
    'guard_warning',
  ]);
  const off = new Sampling({ ...defaults, keys: { k: 0 } });
  assert.deepEqual(off.reasons(ofKey({ quality: 0.1 })), []);
  assert.equal(off.mayLook('k'), false);
  assert.equal(off.mayLook(null), true);
});

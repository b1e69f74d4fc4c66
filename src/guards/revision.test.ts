import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guardSchema } from '../config/guard-schema.js';
import { guardRevisions } from './revision.js';

const words = (list: string[]) => ({ input: [{ guard: 'keywords', options: { words: { w: list } } }] });
const revisionOf = (profile: string | null, config: object) =>
  guardRevisions(guardSchema.parse(config))(profile);

test('a profile has another revision where its settings changed, whatever it is called', () => {
  const before = { profiles: { a: words(['x']), b: words(['x']), c: words(['y']) } };
  assert.equal(revisionOf('a', before), revisionOf('b', before));
  assert.notEqual(revisionOf('a', before), revisionOf('c', before));
  assert.notEqual(revisionOf('a', before), revisionOf('a', { profiles: { a: words(['x', 'z']) } }));
});

test('a guard of one’s own is part of the profiles that use it', () => {
  const config = (module: string) => ({
    custom: [{ name: 'own', module }],
    profiles: { with: { output: [{ guard: 'own' }] }, without: words(['x']) },
  });
  assert.notEqual(revisionOf('with', config('/a.mjs')), revisionOf('with', config('/b.mjs')));
  assert.equal(revisionOf('without', config('/a.mjs')), revisionOf('without', config('/b.mjs')));
});

test('a key without a profile has everyone’s', () => {
  assert.equal(revisionOf(null, {}), null);
  assert.notEqual(revisionOf(null, { profile: 'default' }), null);
  assert.equal(revisionOf(null, { profile: 'default' }), revisionOf('default', {}));
});

test('the profile `thorough` is there where everyone has it', () => {
  assert.equal(revisionOf('thorough', {}), null);
  assert.notEqual(revisionOf('thorough', { profile: 'thorough' }), null);
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { encode, fileOf, halves, makeSet, readHalf } from '../../bench/semantic-cache/generate.js';
import { nearKinds } from '../../bench/semantic-cache/pair.js';

/** The labelled set of the semantic cache. */

test('the files are what the generator makes', () => {
  const set = makeSet();
  for (const half of halves) assert.equal(readFileSync(fileOf(half), 'utf8'), encode(set[half]));
});

test('it is large enough, and each half has every kind of near-duplicate', () => {
  const all = halves.flatMap((half) => readHalf(half));
  const same = all.filter(({ kind }) => kind === 'same');
  assert.ok(same.length >= 400);
  assert.ok(same.filter(({ source }) => source === 'written').length >= 150);
  assert.ok(all.length - same.length >= 1000);
  for (const half of halves) {
    const kinds = new Set(readHalf(half).map(({ kind }) => kind));
    for (const kind of nearKinds) assert.ok(kinds.has(kind), `${half} ${kind}`);
  }
});

test('no question is in both halves, and no pair is labelled twice', () => {
  const questions = new Map<string, string>();
  const labels = new Set<string>();
  for (const half of halves) {
    for (const { first, second } of readHalf(half)) {
      assert.equal(questions.get(first) ?? half, half, first);
      questions.set(first, half);
      const pair = JSON.stringify([first, second].sort());
      assert.ok(!labels.has(pair), pair);
      labels.add(pair);
    }
  }
});

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { encode, fileOf, halves, makeSet, readHalf } from '../../bench/semantic-cache/generate.js';
import { crossChecked, falseHitsByKind, type Judged, scoresAt } from '../../bench/semantic-cache/measure.js';
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

test('the test half is as it was before the gate was tuned', () => {
  const hash = createHash('sha256')
    .update(readFileSync(fileOf('test')))
    .digest('hex');
  assert.equal(hash, 'e743352e1fb82c73d703b3f4135c5e8a451f0448df85b5e757f7e352d5ddddae');
});

test('scores, by hand', () => {
  const pair = (kind: Judged['kind'], cosine: number, agrees: boolean): Judged => ({
    first: '',
    second: '',
    source: 'written',
    kind,
    cosine,
    agrees,
    isDoubtful: false,
  });
  const judged = [
    pair('same', 0.9, true),
    pair('same', 0.9, false),
    pair('same', 0.7, true),
    pair('name', 0.9, true),
    pair('date', 0.9, false),
  ];
  assert.deepEqual(scoresAt(judged, 0.8, true), {
    hits: { count: 1, of: 3 },
    falseHits: { count: 1, of: 2 },
  });
  assert.deepEqual(scoresAt(judged, 0.8, false), {
    hits: { count: 2, of: 3 },
    falseHits: { count: 2, of: 2 },
  });
  assert.deepEqual(
    falseHitsByKind(judged, 0.8).filter(([, { of }]) => of > 0),
    [
      ['name', { count: 1, of: 1 }],
      ['date', { count: 0, of: 1 }],
    ],
  );
});

test('only doubtful pairs that are near enough are asked about, and only those change', async () => {
  const pair = (first: string, cosine: number, isDoubtful: boolean): Judged => ({
    first,
    second: '',
    source: 'written',
    kind: 'same',
    cosine,
    agrees: false,
    isDoubtful,
  });
  const asked: string[] = [];
  const judged = [
    pair('yes', 0.9, true),
    pair('no', 0.9, true),
    pair('far', 0.8, true),
    pair('clear', 0.9, false),
  ];
  const checked = await crossChecked(
    judged,
    0.9,
    async ({ first }) => asked.push(first) > 0 && first === 'yes',
  );
  assert.deepEqual(asked, ['yes', 'no']);
  assert.deepEqual(
    checked.map(({ agrees }) => agrees),
    [true, false, false, false],
  );
});

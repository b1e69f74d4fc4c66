import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../../test/support/gguf/random.js';
import { VectorIndex } from './vector-index.js';

const size = 16;

function unit(random: Random): Float32Array {
  const vector = random.spread(size, 1);
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

test('it finds what comparing one by one finds, whatever was added and removed', () => {
  const random = new Random(1);
  const index = new VectorIndex();
  const kept = new Map<number, { scope: string; vector: Float32Array }>();
  for (let id = 1; id <= 300; id++) {
    const scope = `scope ${id % 3}`;
    const vector = unit(random);
    index.add(scope, id, vector);
    kept.set(id, { scope, vector });
    if (random.next() < 0.4) {
      const ids = [...kept.keys()];
      const gone = ids[Math.floor(random.next() * ids.length)]!;
      index.remove(gone);
      kept.delete(gone);
    }
  }
  assert.equal(index.size, kept.size);
  assert.deepEqual([...index.ids()].sort(), [...kept.keys()].sort());
  for (let query = 0; query < 20; query++) {
    const vector = unit(random);
    const scope = `scope ${query % 3}`;
    const expected = [...kept]
      .filter(([, each]) => each.scope === scope)
      .map(([id, each]) => ({ id, cosine: dot(each.vector, vector) }))
      .sort((a, b) => b.cosine - a.cosine)
      .slice(0, 5);
    const found = index.search(scope, vector, 5);
    assert.deepEqual(
      found.map(({ id }) => id),
      expected.map(({ id }) => id),
    );
    for (const [i, { cosine }] of found.entries()) assert.ok(Math.abs(cosine - expected[i]!.cosine) < 1e-5);
  }
});

test('an unknown scope, an emptied one, and vectors of another length find nothing', () => {
  const random = new Random(2);
  const index = new VectorIndex();
  const vector = unit(random);
  index.add('a', 1, vector);
  assert.deepEqual(index.search('b', vector, 4), []);
  assert.deepEqual(index.search('a', new Float32Array(size + 1), 4), []);
  index.add('a', 2, new Float32Array(size + 1));
  assert.equal(index.has(2), false);
  index.remove(1);
  index.remove(1);
  assert.deepEqual(index.search('a', vector, 4), []);
});

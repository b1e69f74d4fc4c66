import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../test/sim/random.js';
import { IndexedHeap } from './indexed-heap.js';

interface Item {
  key: number;
  heapIndex: number;
}

test('random pushes, pops and removals agree with a sorted list', () => {
  const random = new Random(7);
  const heap = new IndexedHeap<Item>((a, b) => a.key < b.key);
  let items: Item[] = [];
  for (let i = 0; i < 20_000; i++) {
    const action = random.int(0, 3);
    if (action <= 1) {
      const item = { key: random.uint32(), heapIndex: -1 };
      heap.push(item);
      items.push(item);
    } else if (action === 2) {
      const least = items.reduce<Item | undefined>(
        (a, b) => (a === undefined || b.key < a.key ? b : a),
        undefined,
      );
      assert.equal(heap.peek(), least);
      assert.equal(heap.pop(), least);
      items = items.filter((item) => item !== least);
    } else if (items.length > 0) {
      const item = random.pick(items);
      heap.remove(item);
      assert.equal(item.heapIndex, -1);
      heap.remove(item); // not there: nothing happens
      items = items.filter((other) => other !== item);
    }
    assert.equal(heap.size, items.length);
  }
});

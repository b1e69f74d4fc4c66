import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BatchQueue } from './batch-queue.js';

const limits = { maxTexts: 4, maxTokens: 100, targetMs: 50 };
const text = (tokens: number) => new Int32Array(tokens);
const texts = (count: number, tokens: number) => Array.from({ length: count }, () => text(tokens));
const shown = (queue: BatchQueue) => queue.take().map(({ call, index }) => `${call}.${index}`);

test('calls take turns, one text each', () => {
  const queue = new BatchQueue(limits);
  queue.add(1, texts(5, 10));
  queue.add(2, texts(1, 10));
  queue.add(3, texts(2, 10));
  assert.deepEqual(shown(queue), ['1.0', '2.0', '3.0', '1.1']);
  assert.deepEqual(shown(queue), ['3.1', '1.2', '1.3', '1.4']);
  assert.ok(queue.isEmpty);
  assert.deepEqual(shown(queue), []);
});

test('a batch has no more tokens than fit, but at least one text', () => {
  const queue = new BatchQueue(limits);
  queue.add(1, [text(60), text(60), text(40), text(1)]);
  assert.deepEqual(shown(queue), ['1.0']);
  assert.deepEqual(shown(queue), ['1.1', '1.2']);
  assert.deepEqual(shown(queue), ['1.3']);
});

test('batches shrink until they take what they should', () => {
  const queue = new BatchQueue(limits);
  queue.add(1, texts(40, 10));
  const first = queue.take();
  assert.equal(first.length, 4);
  queue.took(first, 100); // 2.5 ms a token: 20 tokens fit in 50 ms
  assert.equal(queue.take().length, 2);
  queue.took(first, 100_000);
  assert.equal(queue.take().length, 1);
});

test('the texts of a call that was given up run no more', () => {
  const queue = new BatchQueue(limits);
  queue.add(1, texts(3, 1));
  queue.add(2, texts(1, 1));
  queue.remove(1);
  assert.deepEqual(shown(queue), ['2.0']);
});

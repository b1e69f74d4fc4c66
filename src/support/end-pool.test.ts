import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Piscina } from 'piscina';
import { eventually } from '../../test/support/eventually.js';
import { endPool } from './end-pool.js';

const sleep = new URL('../../test/support/sleeping-thread.js', import.meta.url).href;

test('a thread that ends after its pool has no successor', async () => {
  const pool = new Piscina({ filename: sleep, minThreads: 1, maxThreads: 1 });
  pool.on('error', () => undefined);
  const exited = once(pool.threads[0]!, 'exit');
  const running = new Int32Array(new SharedArrayBuffer(4));
  const stop = new AbortController();
  const task = pool.run(running, { signal: stop.signal });
  await eventually(() => Atomics.load(running, 0) === 1);
  stop.abort();
  await assert.rejects(task);
  await endPool(pool);
  await exited;
  assert.equal(pool.threads.length, 0);
});

test('a task that comes after the end of its pool is refused, and starts no thread', async () => {
  const pool = new Piscina({ filename: sleep, minThreads: 1, maxThreads: 1, maxQueue: 8 });
  await endPool(pool);
  await assert.rejects(pool.run(null), /No task queue available/);
  assert.equal(pool.threads.length, 0);
});

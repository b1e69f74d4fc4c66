import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SluiceError } from '../errors.js';
import { BackgroundRequests } from './background-requests.js';

const limits = { maxRequests: 2, maxResultBytes: 100, retentionSeconds: 60 };

const ofBytes = (bytes: number) => async () => ({ text: 'x'.repeat(bytes - '{"text":""}'.length) });
const settled = () => new Promise((resolve) => setImmediate(resolve));
const never = () => new Promise<object>(() => undefined);

function shelved(now: () => number = () => 1) {
  const requests = new BackgroundRequests(limits, now);
  const isKept = async (id: string, owner = 'a') => {
    try {
      return (await requests.find(owner, id)).ended !== null;
    } catch {
      return false;
    }
  };
  return { requests, isKept };
}

test('results go when they are too old', async () => {
  let nowMs = 1;
  const { requests, isKept } = shelved(() => nowMs);
  await requests.start('a', 'r', ofBytes(50));
  await settled();
  nowMs += 60_000;
  assert.ok(await isKept('r'));
  nowMs += 1;
  assert.ok(!(await isKept('r')));
});

test('of too many results, or too large ones, the oldest go; looking at one keeps it no longer', async () => {
  const { requests, isKept } = shelved();
  for (const id of ['1', '2', '3']) {
    await requests.start('a', id, ofBytes(20));
    await settled();
    assert.ok((await isKept('2')) || id === '1');
  }
  assert.deepEqual(await Promise.all(['1', '2', '3'].map((id) => isKept(id))), [false, true, true]);
  await requests.start('a', '4', ofBytes(90));
  await settled();
  assert.deepEqual(await Promise.all(['2', '3', '4'].map((id) => isKept(id))), [false, false, true]);
});

test('an answer larger than all results together may be is a failure that says so, and leaves the others', async () => {
  const { requests, isKept } = shelved();
  await requests.start('a', 'small', ofBytes(50));
  await requests.start('a', 'huge', ofBytes(101));
  await settled();
  const { outcome } = (await requests.find('a', 'huge')).ended!;
  assert.ok('error' in outcome && outcome.error.code === 'request_too_large');
  assert.ok(await isKept('small'));
});

test('an owner with too many under way is refused, and others are not', async () => {
  const { requests } = shelved();
  await requests.start('a', '1', never);
  await requests.start('a', '2', never);
  await assert.rejects(() => requests.start('a', '3', never), { code: 'queue_full' });
  await requests.start('b', '3', never);
  await requests.remove('a', '1');
  await requests.start('a', '4', never);
});

test('another owner finds nothing and can remove nothing', async () => {
  const { requests, isKept } = shelved();
  await requests.start('a', 'r', ofBytes(20));
  await settled();
  await assert.rejects(() => requests.find('b', 'r'), { code: 'not_found' });
  await assert.rejects(() => requests.remove('b', 'r'), { code: 'not_found' });
  assert.ok(await isKept('r'));
});

test('what was removed is aborted, and its end is not kept', async () => {
  const { requests } = shelved();
  const work = (signal: AbortSignal) =>
    new Promise<object>((_, reject) => {
      signal.addEventListener('abort', () => reject(new SluiceError('cancelled', 'gone')));
    });
  await requests.start('a', 'r', work);
  await requests.remove('a', 'r');
  await settled();
  await assert.rejects(() => requests.find('a', 'r'), { code: 'not_found' });
});

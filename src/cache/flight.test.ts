import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Computation,
  delta,
  done,
  errandOf,
  mustNot,
  says,
  setup,
  turn,
} from '../../test/support/answer-cache.js';
import { type ErrorCode, SluiceError } from '../errors.js';

test('who asks while it is computed gets what came so far, then the rest as it comes; it is computed once', async () => {
  const { cache } = setup();
  const computation = new Computation();
  const [leader, ...followers] = await Promise.all(Array.from({ length: 50 }, () => errandOf()));
  const leading = cache.answer(leader!, computation.compute);
  await turn();
  computation.begin('one ');
  const following = followers.map((errand) => cache.answer(errand, mustNot));
  assert.ok(followers.every(({ text }) => text === 'one '));
  computation.sink(delta('two'));
  assert.ok(followers.every(({ text }) => text === 'one two'));
  computation.end();
  assert.equal((await leading).cache!.level, null);
  for (const each of await Promise.all(following)) {
    assert.equal(each.cache!.level, 'flight');
    assert.equal(each.nanodollars, null);
    assert.equal(each.completionTokens, 3);
  }
  assert.equal(computation.calls, 1);
});

test('a leader whose client gives up is let go at once; the others fly on', async () => {
  const { cache } = setup();
  const computation = new Computation();
  const leader = await errandOf();
  const follower = await errandOf();
  const leading = cache.answer(leader, computation.compute);
  await turn();
  computation.begin('one ');
  const following = cache.answer(follower, mustNot);
  leader.abort.abort();
  const left = await leading;
  assert.deepEqual(leader.events.at(-1), done('cancelled'));
  assert.equal(left.completionTokens, 1);
  assert.equal(computation.stop.aborted, false);
  computation.sink(delta('two'));
  computation.end();
  assert.equal((await following).cache!.level, 'flight');
  assert.deepEqual([leader.text, follower.text], ['one ', 'one two']);
  await cache.answer(await errandOf(), mustNot);
});

test('when everybody has given up, the computation is stopped, and nothing is kept', async () => {
  const { cache } = setup();
  const computation = new Computation();
  const both = [await errandOf(), await errandOf()];
  const answers = [cache.answer(both[0]!, computation.compute)];
  await turn();
  computation.begin('one ');
  answers.push(cache.answer(both[1]!, mustNot));
  for (const { abort } of both) abort.abort();
  await Promise.all(answers);
  assert.ok(computation.stop.aborted);
  for (const { events } of both) assert.deepEqual(events.at(-1), done('cancelled'));
  const next = await errandOf();
  await cache.answer(next, says('new'));
  assert.equal(next.text, 'new');
});

test("a failure of the leader's own is not the followers': one of them leads next", async () => {
  const faults: [ErrorCode, boolean][] = [
    ['deadline_exceeded', false],
    ['inference_timeout', false],
    ['insufficient_quota', true],
  ];
  for (const [code, isOfLimits] of faults) {
    const { cache } = setup();
    const first = new Computation();
    const second = new Computation();
    const leader = await errandOf();
    if (isOfLimits) Object.defineProperty(leader.tab, 'wasRefused', { value: true });
    const followers = [await errandOf(), await errandOf()];
    const leading = cache.answer(leader, first.compute);
    await turn();
    const following = followers.map((errand) => cache.answer(errand, second.compute));
    first.fail(new SluiceError(code, 'Scripted.'));
    await assert.rejects(leading, { code });
    await turn();
    second.begin('hello');
    second.end();
    assert.deepEqual(
      (await Promise.all(following)).map(({ cache }) => cache!.level),
      [null, 'flight'],
    );
    assert.deepEqual(
      followers.map(({ text }) => text),
      ['hello', 'hello'],
    );
    assert.equal(second.calls, 1);
  }
});

test('a failure of the model or the request is everybody’s', async () => {
  const { cache } = setup();
  const computation = new Computation();
  const leading = cache.answer(await errandOf(), computation.compute);
  await turn();
  const following = cache.answer(await errandOf(), mustNot);
  computation.fail(new SluiceError('upstream_failed', 'Scripted.'));
  await assert.rejects(leading, { code: 'upstream_failed' });
  await assert.rejects(following, { code: 'upstream_failed' });
});

test('a follower keeps its own deadline, and does not join who might end too soon or stands behind it', async () => {
  const { cache } = setup();
  const slow = new Computation();
  const leading = cache.answer(await errandOf({ priority: 5 }), slow.compute);
  await turn();
  const hurried = cache.answer(await errandOf({ priority: 5, timeout_ms: 20 }), mustNot);
  await assert.rejects(hurried, { code: 'deadline_exceeded' });
  const urgent = await errandOf({ priority: 1 });
  await cache.answer(urgent, says('at once'));
  assert.equal(urgent.text, 'at once');
  slow.begin('late');
  slow.end();
  await leading;

  const { cache: other } = setup();
  const brief = new Computation();
  const leader = other.answer(await errandOf({ timeout_ms: 1000 }), brief.compute);
  await turn();
  const patient = await errandOf();
  await other.answer(patient, says('own'));
  assert.equal(patient.text, 'own');
  brief.begin('x');
  brief.end();
  await leader;
});

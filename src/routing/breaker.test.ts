import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Breaker, type BreakerChange, type BreakerConfig, type Outcome, type Permit } from './breaker.js';

const config: BreakerConfig = {
  failures: 3,
  failureShare: 0.5,
  windowSize: 10,
  cooldownMs: 1000,
  maxCooldownMs: 8000,
  trials: 1,
};

function tryOnce(breaker: Breaker, outcome: Outcome, nowMs: number): boolean {
  const permit = breaker.acquire(nowMs);
  if (permit) breaker.report(permit, outcome, nowMs);
  return permit !== null;
}

test('failures in a row open it; a success between starts the count anew', () => {
  const breaker = new Breaker(config, () => 0);
  for (const outcome of ['failure', 'failure', 'success', 'failure', 'failure'] as const)
    tryOnce(breaker, outcome, 0);
  assert.equal(breaker.state(0), 'closed');
  tryOnce(breaker, 'failure', 0);
  assert.equal(breaker.state(0), 'open');
  assert.equal(breaker.acquire(999), null);
});

test('it says what it found out itself, and nothing of what it heard', () => {
  const changes: BreakerChange[] = [];
  const breaker = new Breaker(
    config,
    () => 0,
    (change) => changes.push(change),
  );
  for (let index = 0; index < 3; index += 1) tryOnce(breaker, 'failure', 0);
  tryOnce(breaker, 'success', 1000);
  assert.deepEqual(changes, [{ state: 'open', forMs: 1000, openings: 1 }, { state: 'closed' }]);
  breaker.hear({ state: 'open', forMs: 700, openings: 2 }, 5000);
  assert.equal(breaker.opensUntilMs(5000), 5700);
  breaker.hear({ state: 'open', forMs: 100, openings: 1 }, 5000);
  assert.equal(breaker.opensUntilMs(5000), 5700, 'the longer one holds');
  breaker.hear({ state: 'closed' }, 5001);
  assert.equal(breaker.state(5001), 'half-open', 'a trial of its own decides');
  assert.equal(changes.length, 2);
  tryOnce(breaker, 'failure', 5001);
  assert.deepEqual(changes[2], { state: 'open', forMs: 4000, openings: 3 });
});

test('who has just had a success believes others only when it fails too', () => {
  const breaker = new Breaker(config, () => 0);
  tryOnce(breaker, 'success', 0);
  breaker.hear({ state: 'open', forMs: 1000, openings: 1 }, 999);
  assert.equal(breaker.state(999), 'closed');
  tryOnce(breaker, 'failure', 999);
  assert.equal(breaker.state(999), 'open');
  const other = new Breaker(config, () => 0);
  tryOnce(other, 'success', 0);
  other.hear({ state: 'open', forMs: 1000, openings: 1 }, 1000);
  assert.equal(other.state(1000), 'open', 'its success was long ago');
});

test('half of a full window failing opens it, though never three in a row', () => {
  const breaker = new Breaker(config, () => 0);
  for (let index = 0; index < 9; index += 1) tryOnce(breaker, index % 2 ? 'success' : 'failure', 0);
  assert.equal(breaker.state(0), 'closed');
  tryOnce(breaker, 'success', 0);
  assert.equal(breaker.state(0), 'open');
});

test('half-open lets one trial through; success closes, failure opens for twice as long', () => {
  const breaker = new Breaker(config, () => 0);
  for (let index = 0; index < 3; index += 1) tryOnce(breaker, 'failure', 0);
  const trial = breaker.acquire(1000);
  assert.ok(trial);
  assert.equal(breaker.acquire(1000), null);
  breaker.report(trial, 'failure', 1000);
  assert.equal(breaker.opensUntilMs(1000), 3000);
  assert.equal(tryOnce(breaker, 'success', 3000), true);
  assert.equal(breaker.state(3000), 'closed');
  for (let index = 0; index < 3; index += 1) tryOnce(breaker, 'failure', 5000);
  assert.equal(breaker.opensUntilMs(5000), 6000, 'closing forgot the doubling');
});

test('a neutral trial gives its place to another', () => {
  const breaker = new Breaker(config, () => 0);
  for (let index = 0; index < 3; index += 1) tryOnce(breaker, 'failure', 0);
  tryOnce(breaker, 'neutral', 1000);
  assert.equal(breaker.state(1000), 'half-open');
  assert.ok(breaker.acquire(1000));
});

test('what began before it opened says nothing about the trials', () => {
  const breaker = new Breaker(config, () => 0);
  const early = breaker.acquire(0)!;
  for (let index = 0; index < 3; index += 1) tryOnce(breaker, 'failure', 0);
  breaker.report(early, 'success', 1000);
  assert.equal(breaker.state(1000), 'half-open');
});

test('a living probe begins the trials early, a dead one opens', () => {
  const breaker = new Breaker(config, () => 0);
  breaker.dead(0);
  assert.equal(breaker.state(0), 'open');
  breaker.alive(10);
  assert.equal(breaker.state(10), 'half-open');
});

const step = fc.record({
  advanceMs: fc.nat(3000),
  action: fc.constantFrom('acquire', 'success', 'failure', 'neutral', 'alive', 'dead'),
});

test('at no time are more trials under way than allowed, nothing passes while open, and it always recovers', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 3 }), (steps, trials) => {
      const breaker = new Breaker({ ...config, trials }, () => 0.5);
      let nowMs = 0;
      let held: { permit: Permit; isTrial: boolean; number: number }[] = [];
      let halfOpenings = 0;
      let before = breaker.state(nowMs);
      const look = () => {
        const state = breaker.state(nowMs);
        if (state === 'half-open' && before !== 'half-open') halfOpenings += 1;
        before = state;
        return state;
      };
      for (const { advanceMs, action } of steps) {
        nowMs += advanceMs;
        const state = look();
        if (action === 'alive' || action === 'dead') breaker[action](nowMs);
        else if (action === 'acquire') {
          const permit = breaker.acquire(nowMs);
          assert.equal(permit === null && state === 'closed', false);
          if (state === 'open') assert.equal(permit, null);
          if (permit) held.push({ permit, isTrial: state === 'half-open', number: halfOpenings });
          const running = held.filter((each) => each.isTrial && each.number === halfOpenings);
          if (state === 'half-open') assert.ok(running.length <= trials);
        } else {
          const [next, ...rest] = held;
          held = rest;
          if (next) breaker.report(next.permit, action as Outcome, nowMs);
        }
        look();
      }
      // Whatever happened, successes after the longest cooldown close it.
      for (const { permit } of held) breaker.report(permit, 'neutral', nowMs);
      nowMs += config.maxCooldownMs;
      for (let index = 0; index < trials; index += 1) tryOnce(breaker, 'success', nowMs);
      assert.equal(breaker.state(nowMs), 'closed');
    }),
  );
});

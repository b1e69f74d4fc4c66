import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CalendarWindow, type Instant, SlidingMinute } from './window.js';

const at = (monotonicMs: number, wallMs = monotonicMs): Instant => ({ monotonicMs, wallMs });

test('what is used counts for 60 to 61 seconds', () => {
  const window = new SlidingMinute();
  window.consume(5, at(10_900));
  assert.equal(window.used(at(70_900)), 5, '60 s later it may still lie within a minute');
  assert.equal(window.used(at(70_999)), 5);
  assert.equal(window.used(at(71_000)), 0);
});

test('a correction counts where the use was counted, and not at all once that has gone', () => {
  const window = new SlidingMinute();
  const place = window.consume(10, at(1_000));
  window.consume(1, at(30_000));
  window.correct(place, -7, at(40_000));
  assert.equal(window.used(at(40_000)), 4);
  assert.equal(window.used(at(62_000)), 1);
  window.correct(place, -3, at(62_000));
  assert.equal(window.used(at(62_000)), 1);
});

test('property: no 60 seconds ever hold more than the limit, and a refusal names the moment from which it fits', () => {
  const step = fc.record({
    waitMs: fc.integer({ min: 0, max: 9_000 }),
    amount: fc.integer({ min: 1, max: 40 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 100 }), (steps, limit) => {
      const window = new SlidingMinute();
      const used: { ms: number; amount: number }[] = [];
      let now = 0;
      for (const { waitMs, amount } of steps) {
        now += waitMs;
        const wait = window.waitMs(amount, limit, at(now));
        if (wait === 0) {
          window.consume(amount, at(now));
          used.push({ ms: now, amount });
        } else if (amount > limit) {
          assert.equal(wait, Number.POSITIVE_INFINITY);
        } else {
          assert.ok(wait > 0 && wait <= 61_000);
          const later = copyOf(used);
          assert.notEqual(later.waitMs(amount, limit, at(now + wait - 1)), 0, 'not a moment before');
          assert.equal(later.waitMs(amount, limit, at(now + wait)), 0, 'but then');
        }
      }
      for (const { ms } of used) {
        const within = used.filter((other) => other.ms >= ms && other.ms < ms + 60_000);
        const sum = within.reduce((total, each) => total + each.amount, 0);
        assert.ok(sum <= limit, `${sum} of ${limit} in the minute from ${ms}`);
      }
    }),
  );
});

function copyOf(used: readonly { ms: number; amount: number }[]): SlidingMinute {
  const window = new SlidingMinute();
  for (const { ms, amount } of used) window.consume(amount, at(ms));
  return window;
}

test('what an earlier process used goes out of the window when it is a minute old', () => {
  const window = new SlidingMinute();
  window.restore(3, 30_000, at(500));
  window.restore(9, 70_000, at(500));
  assert.equal(window.used(at(500)), 3);
  window.restore(1, -999, at(500)); // of the second that isn't over yet
  assert.equal(window.used(at(500)), 4);
  assert.equal(window.used(at(30_000)), 4);
  assert.equal(window.used(at(32_000)), 1);
  assert.equal(window.used(at(62_000)), 0);
});

const DAY = 86_400_000;

test('the calendar’s periods begin at midnight of UTC, weeks on Monday, months on the first', () => {
  const wednesday = Date.UTC(2026, 10, 25, 23, 59, 59);
  const spans = { day: 1_000, week: 4 * DAY + 1_000, month: 5 * DAY + 1_000 };
  for (const [period, untilEnd] of Object.entries(spans)) {
    const window = new CalendarWindow(period as 'day');
    window.consume(7, at(0, wednesday));
    assert.equal(window.waitMs(4, 10, at(0, wednesday)), untilEnd, period);
    assert.equal(window.waitMs(3, 10, at(0, wednesday)), 0);
    assert.equal(window.waitMs(11, 10, at(0, wednesday)), Number.POSITIVE_INFINITY);
    assert.equal(window.used(at(0, wednesday + untilEnd - 1)), 7);
    assert.equal(window.used(at(0, wednesday + untilEnd)), 0);
  }
});

test('what ends in the next period is settled in the one it began in', () => {
  const window = new CalendarWindow('day');
  const place = window.consume(100, at(0, DAY - 1));
  window.correct(place, -90, at(0, DAY + 1));
  assert.equal(window.used(at(0, DAY + 1)), 0);
});

test('a clock that is set back opens no new period', () => {
  const window = new CalendarWindow('day');
  window.consume(10, at(0, 2 * DAY));
  assert.equal(window.used(at(0, DAY)), 10);
  window.consume(1, at(0, DAY));
  assert.equal(window.used(at(0, 2 * DAY + 5)), 11);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noLimits } from '../store/types.js';
import { Account, type Amounts } from './account.js';
import { quotaHeaders } from './quota-headers.js';

import { Refusal } from './refusal.js';
import { refusalError } from './refusal-error.js';
import { Reservation } from './reservation.js';
import type { Instant } from './window.js';

const START = Date.UTC(2026, 10, 25, 12);
const at = (ms: number): Instant => ({ monotonicMs: ms, wallMs: START + ms });
const amounts = (requests: number, tokens = 0, nanodollars = 0): Amounts => ({
  requests,
  tokens,
  nanodollars,
});

function account(scope: string, limits: Partial<Account['limits']>): Account {
  const made = new Account(scope);
  made.limits = { ...noLimits, ...limits };
  return made;
}

function taken(result: Reservation | Refusal): Reservation {
  assert.ok(result instanceof Reservation);
  return result;
}

function refused(result: Reservation | Refusal | null): Refusal {
  assert.ok(result instanceof Refusal, 'it was not refused');
  return result;
}

const usedOf = (accounts: readonly Account[], now: Instant) =>
  accounts.map(({ bounds, inFlight }) => [inFlight, ...bounds.map(({ window }) => window.used(now))]);

test('one account that refuses leaves all as they were', () => {
  const key = account('key:a', { requestsPerMinute: 10, tokensPerMinute: 1000 });
  const team = account('team:o/t', { tokensPerDay: 500 });
  const all = [key, team];
  const first = taken(Reservation.take(all, amounts(1, 400), at(0)));
  const before = usedOf(all, at(1));
  const refusal = refused(Reservation.take(all, amounts(1, 101), at(1)));
  assert.deepEqual(
    refusal.bounds.map(({ scope, unit, span }) => [scope, unit, span]),
    [['team:o/t', 'tokens', 'day']],
  );
  assert.equal(refusal.waitMs, 12 * 3_600_000 - 1);
  assert.deepEqual(usedOf(all, at(1)), before);
  first.release(at(2));
  assert.deepEqual(usedOf(all, at(2)), [
    [0, 0, 0],
    [0, 0],
  ]);
});

test('a change that is refused keeps what was held; release gives it back', () => {
  const key = account('key:a', { tokensPerMinute: 1000, budget: { nanodollars: 100, period: 'day' } });
  const reservation = taken(Reservation.take([key], amounts(1, 10), at(0)));
  assert.ok(reservation.change(amounts(1, 900, 101), at(1)), 'more than the budget');
  assert.deepEqual(usedOf([key], at(1)), [[1, 10, 0]]);
  assert.equal(reservation.change(amounts(1, 900, 100), at(1)), null);
  assert.deepEqual(usedOf([key], at(1)), [[1, 900, 100]]);
  reservation.settle(amounts(1, 300, 40), at(2));
  assert.deepEqual(usedOf([key], at(2)), [[0, 300, 40]]);
  reservation.settle(amounts(1, 0, 0), at(3));
  reservation.release(at(3));
  assert.deepEqual(usedOf([key], at(3)), [[0, 300, 40]], 'it has ended once');
});

test('what running requests reserve is told apart from what is spent', () => {
  const key = account('key:a', { budget: { nanodollars: 100, period: 'month' } });
  const first = taken(Reservation.take([key], amounts(1, 0, 60), at(0)));
  taken(Reservation.take([key], amounts(1, 0, 30), at(0)));
  first.settle(amounts(1, 0, 25), at(1));
  const { settled, reserved } = key.spent('month', at(1));
  assert.deepEqual({ settled, reserved }, { settled: 25, reserved: 30 });
});

test('concurrency is given back at the end', () => {
  const key = account('key:a', { concurrency: 2 });
  const first = taken(Reservation.take([key], amounts(1), at(0)));
  taken(Reservation.take([key], amounts(1), at(0)));
  const refusal = refused(Reservation.take([key], amounts(1), at(0)));
  assert.deepEqual(refusal.busy, [{ scope: 'key:a', concurrency: 2 }]);
  const error = refusalError(refusal, amounts(1));
  assert.deepEqual([error.code, error.retryAfterSeconds], ['rate_limit_exceeded', 1]);
  first.settle(amounts(1), at(1));
  taken(Reservation.take([key], amounts(1), at(1)));
});

test('a limit that is lowered under what is used refuses until it fits again', () => {
  const key = account('key:a', { requestsPerDay: 10 });
  for (let i = 0; i < 5; i += 1) taken(Reservation.take([key], amounts(1), at(i)));
  key.limits = { ...noLimits, requestsPerDay: 3 };
  refused(Reservation.take([key], amounts(1), at(9)));
  key.limits = { ...noLimits, requestsPerDay: 6 };
  taken(Reservation.take([key], amounts(1), at(9)));
});

test('money is 402, what comes back is 429 with the time, what can never fit is 400', () => {
  const key = account('key:a', {
    requestsPerMinute: 1,
    tokensPerMinute: 50,
    budget: { nanodollars: 2_000_000_000, period: 'day' },
  });
  taken(Reservation.take([key], amounts(1, 20, 1_500_000_000), at(0)));
  const errorFor = (asked: Amounts, now: number) =>
    refusalError(refused(Reservation.take([key], asked, at(now))), asked);

  const money = errorFor(amounts(0, 0, 600_000_000), 1);
  assert.deepEqual(
    [money.code, money.status, money.retryAfterSeconds],
    ['insufficient_quota', 402, 12 * 3600],
  );
  assert.match(money.message, /budget of this key is \$2\.00 a day; \$1\.50 are spent .* up to \$0\.60/);
  const never = errorFor(amounts(0, 0, 2_000_000_001), 1);
  assert.deepEqual([never.status, never.retryAfterSeconds], [402, null]);

  const rate = errorFor(amounts(1), 10_500);
  assert.deepEqual([rate.code, rate.status, rate.retryAfterSeconds], ['rate_limit_exceeded', 429, 51]);
  assert.match(rate.message, /requests per minute: this key's limit is 1, 1 of it used, .* in 51 s/);

  const impossible = errorFor(amounts(0, 51), 1);
  assert.deepEqual([impossible.code, impossible.status], ['request_too_large', 400]);
});

test('headers show the tightest limit of each kind', () => {
  const key = account('key:a', { requestsPerMinute: 10, tokensPerDay: 9_000 });
  const organisation = account('organisation:o', { requestsPerDay: 3 });
  const reservation = taken(Reservation.take([key, organisation], amounts(1, 40), at(0)));
  assert.deepEqual(quotaHeaders(reservation.bounds(at(500))), {
    'x-ratelimit-limit-requests': '3',
    'x-ratelimit-remaining-requests': '2',
    'x-ratelimit-reset-requests': '12h0m0s',
    'x-ratelimit-limit-tokens': '9000',
    'x-ratelimit-remaining-tokens': '8960',
    'x-ratelimit-reset-tokens': '12h0m0s',
  });
  assert.deepEqual(quotaHeaders([]), {});
});

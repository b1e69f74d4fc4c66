import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FailoverOptions, simulateFailover, threeRegions } from './failover.js';
import { type SpendingOptions, simulateSpending } from './spending.js';

const spending: SpendingOptions = {
  policy: 'leased',
  regions: 3,
  budget: 1_000_000,
  demand: 1.5,
  exchangeMs: 1000,
  aheadMs: 20_000,
  leaseMs: 60_000,
  wayMs: 50,
  cutOff: { fromMs: 300_000, untilMs: 500_000 },
  runMs: 600_000,
  seed: 1,
};

test('leased shares are never overspent, cut off or not; counters that tell each other are', () => {
  for (const seed of [1, 2, 3]) {
    assert.equal(simulateSpending({ ...spending, seed }).overspent, 0);
    assert.equal(simulateSpending({ ...spending, seed, policy: 'split' }).overspent, 0);
    assert.ok(simulateSpending({ ...spending, seed, policy: 'counted' }).overspent > 0);
  }
});

test('leased shares refuse less than parts for good, and the more the longer they are to last', () => {
  const refused = (change: Partial<SpendingOptions>) =>
    simulateSpending({ ...spending, cutOff: null, ...change }).wronglyRefused;
  const short = refused({});
  assert.ok(short < refused({ aheadMs: 200_000 }));
  assert.ok(short < refused({ policy: 'split' }));
});

test('a seed gives the same run again', () => {
  assert.deepEqual(simulateSpending(spending), simulateSpending(spending));
  assert.notDeepEqual(simulateSpending(spending), simulateSpending({ ...spending, seed: 2 }));
  assert.deepEqual(simulateFailover(failover), simulateFailover(failover));
});

const failover: FailoverOptions = {
  ...threeRegions,
  clients: 50,
  boundShare: 0.3,
  outage: { region: 0, fromMs: 100_000, untilMs: 400_000 },
  runMs: 600_000,
  seed: 1,
};

test('clients are answered elsewhere within what checks, names and tries take together', () => {
  const { checkMs, failuresToLeave, nameMs, connectMs } = failover;
  const { downMs, detectedMs, extraWayMs } = simulateFailover(failover);
  const detectionMs = checkMs * failuresToLeave;
  assert.ok(detectedMs !== null && detectedMs > detectionMs - checkMs && detectedMs <= detectionMs);
  assert.ok(downMs.length > 0);
  assert.ok(Math.max(...downMs) <= detectionMs + nameMs + 2 * connectMs);
  assert.deepEqual([...new Set(extraWayMs)], [35], 'the nearest of the others');
});

test('data that may not leave its region does not, and its clients are refused while it is away', () => {
  const { misplaced, refused } = simulateFailover(failover);
  assert.equal(misplaced, 0);
  assert.ok(refused > 0);
  assert.equal(simulateFailover({ ...failover, boundShare: 0 }).refused, 0);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BudgetHome, RegionalShare, type Report } from './budget.js';

const LEASE_MS = 1000;
const regions = ['a', 'b', 'c'];

/** What may happen, in any order: a request, its end, a report that arrives or is lost, an answer that arrives or is lost, time. */
const step = fc.oneof(
  fc.record({
    type: fc.constant('reserve' as const),
    region: fc.nat(2),
    most: fc.integer({ min: 1, max: 300 }),
  }),
  fc.record({
    type: fc.constant('settle' as const),
    region: fc.nat(2),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  fc.record({
    type: fc.constant('report' as const),
    region: fc.nat(2),
    arrives: fc.boolean(),
    answered: fc.boolean(),
  }),
  fc.record({ type: fc.constant('late' as const), region: fc.nat(2) }),
  fc.record({ type: fc.constant('wait' as const), ms: fc.nat(300) }),
);

test('whatever is lost, late or repeated, all regions together spend no more than there is', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 100, maxLength: 300 }), (steps) => {
      const home = new BudgetHome(1000, regions.length);
      const shares = regions.map(() => new RegionalShare(LEASE_MS, 4, 300));
      const running = regions.map(() => [] as number[]);
      const lastReports = regions.map(() => null as Report | null);
      let nowMs = 0;
      let spent = 0;
      for (const what of steps) {
        if (what.type === 'wait') nowMs += what.ms;
        else if (what.type === 'reserve') {
          if (shares[what.region]!.reserve(what.most, nowMs)) running[what.region]!.push(what.most);
        } else if (what.type === 'settle') {
          const most = running[what.region]!.shift();
          if (most === undefined) continue;
          const cost = Math.floor(most * what.share);
          shares[what.region]!.settle(most, cost);
          spent += cost;
        } else if (what.type === 'late') {
          const report = lastReports[what.region];
          if (report) home.exchange(regions[what.region]!, { ...report, asked: 0 });
        } else {
          const report = shares[what.region]!.report();
          lastReports[what.region] = report;
          if (!what.arrives) continue;
          const granted = home.exchange(regions[what.region]!, report);
          if (what.answered) shares[what.region]!.renew(granted, nowMs);
        }
        const reserved = running.flat().reduce((sum, each) => sum + each, 0);
        assert.ok(spent + reserved <= home.total, `${spent} spent and ${reserved} reserved`);
        assert.ok(home.free >= 0);
        assert.ok(home.knownSpent <= spent);
        for (const share of shares) assert.ok(share.available >= 0);
      }
    }),
    { numRuns: 300, seed: 7 },
  );
});

test('a region that home does not answer stops at the end of its lease, and goes on when it does again', () => {
  const home = new BudgetHome(10_000, 1);
  const share = new RegionalShare(LEASE_MS, 4, 100);
  assert.equal(share.reserve(10, 0), false, 'before it holds anything');
  share.renew(home.exchange('a', share.report()), 0);
  assert.equal(share.reserve(10, LEASE_MS), true);
  assert.equal(share.reserve(10, LEASE_MS + 1), false);
  share.renew(home.exchange('a', share.report()), LEASE_MS + 1);
  assert.equal(share.reserve(10, LEASE_MS + 2), true);
});

test('what a region does not use comes back to the others', () => {
  const home = new BudgetHome(1000, 2);
  const [busy, idle] = [new RegionalShare(LEASE_MS, 4, 10), new RegionalShare(LEASE_MS, 4, 10)];
  const exchange = (name: string, share: RegionalShare) =>
    share.renew(home.exchange(name, share.report()), 0);
  exchange('idle', idle);
  for (let round = 0; round < 20; round += 1) {
    if (idle.reserve(20, 0)) idle.settle(20, 20);
    exchange('idle', idle);
  }
  const before = idle.available;
  for (let round = 0; round < 60; round += 1) exchange('idle', idle);
  assert.ok(idle.available < before && idle.available <= 2 * 11, `${before}, then ${idle.available}`);
  assert.equal(home.free, 1000 - idle.available - home.knownSpent);
  exchange('busy', busy);
  assert.ok(busy.available > 0);
});

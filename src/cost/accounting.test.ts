import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Random } from '../../test/sim/random.js';
import { assertWithinLimits } from '../../test/support/within-limits.js';
import type { Caller } from '../auth/caller.js';
import { SluiceError } from '../errors.js';
import { Accounts } from '../limits/accounts.js';
import { periodStart } from '../limits/calendar.js';
import type { Instant } from '../limits/window.js';
import { type LedgerEntry, type Limits, noLimits, type Period } from '../store/types.js';
import { KeyAccounting } from './accounting.js';
import type { Admission, Outcome } from './admission.js';
import { Ledger } from './ledger.js';
import { LocalBooks } from './local-books.js';
import { PriceTable } from './prices.js';
import { type Charge, Tab } from './tab.js';

const START = Date.UTC(2026, 10, 30, 23, 58); // two minutes before a day and a month end
const SCOPES = ['key:0', 'key:1', 'key:2', 'user:o/u', 'team:o/t', 'organisation:o'];

class World {
  readonly accounts = new Accounts();
  readonly kept: LedgerEntry[] = [];
  readonly costs: number[] = [];
  readonly accounting: KeyAccounting;
  nowMs = 0;

  constructor(limits: ReadonlyMap<string, Limits>) {
    for (const [scope, each] of limits) this.accounts.setLimits(scope, each);
    const store = {
      appendLedger: async (entries: LedgerEntry[]) => {
        this.kept.push(...entries);
      },
    };
    this.accounting = new KeyAccounting({
      books: new LocalBooks({
        accounts: this.accounts,
        ledger: new Ledger({ store, maxPending: 100_000, retryMs: 1, onFault: unexpected }),
        now: () => this.now(),
        restore: () => Promise.resolve(),
      }),
      alerts: null,
      capacity: Number.POSITIVE_INFINITY,
      monotonicMs: () => this.nowMs,
      onCost: (_, nanodollars) => this.costs.push(nanodollars),
    });
  }

  now(): Instant {
    return { monotonicMs: this.nowMs, wallMs: START + this.nowMs };
  }
}

function caller(key: number): Caller {
  return {
    keyId: String(key),
    tenant: 'o',
    team: key === 0 ? null : 't',
    user: key === 2 ? 'u' : null,
    isAdmin: false,
    models: null,
    guardProfile: null,
  };
}

function unexpected(error: unknown): never {
  throw error;
}

function accountingWith({
  ledger = new Ledger({
    store: { appendLedger: async () => undefined },
    maxPending: 100,
    retryMs: 1,
    onFault: unexpected,
  }),
  restore = () => Promise.resolve(),
  capacity = 100,
}: {
  ledger?: Ledger;
  restore?: () => Promise<void>;
  capacity?: number;
}): KeyAccounting {
  const now = () => ({ monotonicMs: 0, wallMs: START });
  return new KeyAccounting({
    books: new LocalBooks({ accounts: new Accounts(), ledger, now, restore }),
    alerts: null,
    capacity,
    monotonicMs: () => 0,
    onCost: () => undefined,
  });
}

const prices = new PriceTable(
  {},
  { local: { input: 1, output: 3, cachedInput: 0.1 }, unknown: { input: 10, output: 30 } },
);
const no = { promptTokens: 0, completionTokens: 0, cachedTokens: 0 };

function outcomeOf(tab: Tab): Outcome {
  const { counts, byModel: costs, lastModel: model } = tab;
  return { model, counts, costs, finishReason: 'stop', cacheLevel: null, guardResult: null };
}

interface Running {
  admission: Admission;
  tab: Tab;
  stepsLeft: number; // answers still to be asked for: a cascade has several
  promptTokens: number;
  maxCompletionTokens: number;
  charge: Charge | null; // the answer under way
  hasAsked: boolean;
}

/** Requests in all states at once; each step one of them goes on, in an order that only the seed knows. */
async function interleave(world: World, random: Random, requests: number): Promise<number> {
  let running: Running[] = [];
  let refused = 0;
  let arriving = 0;
  const refusal = (error: unknown) => {
    assert.ok(error instanceof SluiceError && error.status >= 400 && error.status < 500, String(error));
    refused += 1;
  };
  const begin = async (index: number) => {
    const promptTokens = random.int(0, 60);
    const maxCompletionTokens = random.int(0, 40);
    const expected = {
      id: String(index),
      caller: caller(random.int(0, 2)),
      tokens: random.int(0, promptTokens),
    };
    arriving += 1;
    const admission = await world.accounting.admit(expected).catch(refusal);
    arriving -= 1;
    if (!admission) return;
    const tab = new Tab(admission);
    const stepsLeft = random.int(1, 3);
    running.push({
      admission,
      tab,
      stepsLeft,
      promptTokens,
      maxCompletionTokens,
      charge: null,
      hasAsked: false,
    });
  };
  const ask = (each: Running) => {
    const { tab, promptTokens, maxCompletionTokens: completionTokens } = each;
    const isLocal = random.chance(0.5);
    const id = isLocal ? 'local' : 'upstream';
    const charge = tab.open(id, prices.of({ id, isLocal }));
    each.stepsLeft -= 1;
    try {
      charge.reserve({ promptTokens, dearestPromptTokens: promptTokens, completionTokens });
      each.charge = charge;
    } catch (error) {
      charge.settle(no);
      if (!each.hasAsked) refusal(error);
      void end(each);
    }
    each.hasAsked = true;
  };
  /** Finished, cancelled half-way, or failed before anything was done. */
  const answered = (each: Running) => {
    const hasRun = random.chance(0.9);
    const promptTokens = hasRun ? each.promptTokens : 0;
    const completionTokens = hasRun ? random.int(0, each.maxCompletionTokens) : 0;
    each.charge!.settle({ promptTokens, completionTokens, cachedTokens: random.int(0, promptTokens) });
    each.charge = null;
  };
  const end = (each: Running) => {
    running = running.filter((other) => other !== each);
    return each.admission.settle(outcomeOf(each.tab));
  };

  let begun = 0;
  while (begun < requests || arriving + running.length > 0) {
    if (random.chance(0.02)) world.nowMs += random.int(0, 2_500);
    if (begun < requests && (running.length === 0 || random.chance(0.4))) void begin(begun++);
    else if (running.length === 0) await Promise.resolve();
    else {
      const each = random.pick(running);
      if (each.charge) answered(each);
      else if (each.stepsLeft === 0 || random.chance(0.1)) void end(each);
      else ask(each);
    }
    if (random.chance(0.3)) await Promise.resolve(); // the promises that are under way go on
  }
  for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
  return refused;
}

test('property: under any interleaving of 10,000 requests no window and no budget is ever exceeded', async () => {
  const bound = (max: number) => fc.option(fc.integer({ min: 1, max }));
  const limits = fc.record<Limits>({
    requestsPerMinute: bound(400),
    tokensPerMinute: bound(20_000),
    requestsPerDay: bound(4_000),
    tokensPerDay: bound(100_000),
    concurrency: bound(300),
    budget: fc.option(
      fc.record({
        nanodollars: fc.integer({ min: 0, max: 200_000_000 }),
        period: fc.constantFrom<Period>('day', 'week', 'month'),
      }),
    ),
  });
  const perScope = fc.tuple(...SCOPES.map(() => limits));
  await fc.assert(
    fc.asyncProperty(perScope, fc.nat(), async (all, seed) => {
      const limitsOf = new Map(SCOPES.map((scope, index) => [scope, all[index]!]));
      const world = new World(limitsOf);
      const refused = await interleave(world, new Random(seed), 10_000);
      assert.equal(world.kept.length + refused, 10_000, 'each request is refused or accounted, once');
      assertWithinLimits(world.kept, limitsOf);
      for (const account of world.accounts.all()) {
        assert.equal(account.inFlight, 0);
        assert.equal(account.spent('month', world.now()).reserved, 0, 'nothing stays reserved');
      }
    }),
    { numRuns: 12 },
  );
});

test('without limits nothing is refused, and every cost is counted', async () => {
  const world = new World(new Map());
  assert.equal(await interleave(world, new Random(1), 2_000), 0);
  const total = world.kept.reduce((sum, { nanodollars }) => sum + nanodollars, 0);
  const months = new Map<number, number>();
  for (const { admittedAtMs, nanodollars } of world.kept) {
    const month = periodStart('month', admittedAtMs);
    months.set(month, (months.get(month) ?? 0) + nanodollars);
  }
  const { settled, sinceMs } = world.accounts.get('organisation:o').spent('month', world.now());
  assert.equal(settled, months.get(sinceMs));
  assert.equal(
    world.costs.reduce((sum, cost) => sum + cost, 0),
    total,
  );
});

test('while usage cannot be recorded, requests with keys are refused', async () => {
  const accounting = accountingWith({
    ledger: new Ledger({
      store: { appendLedger: () => Promise.reject(new Error('disk full')) },
      maxPending: 10,
      retryMs: 60_000,
      onFault: () => undefined,
    }),
  });
  const first = await accounting.admit({ id: '1', caller: caller(0), tokens: 1 });
  await first.settle(outcomeOf(new Tab(first)));
  await assert.rejects(accounting.admit({ id: '2', caller: caller(0), tokens: 1 }), {
    code: 'store_unavailable',
  });
});

test('accounts that cannot be restored admit nobody, and are tried again', async () => {
  let attempts = 0;
  const accounting = accountingWith({
    restore: async () => {
      attempts += 1;
      if (attempts === 1) throw new SluiceError('store_unavailable', 'held');
    },
  });
  const admit = () => accounting.admit({ id: '1', caller: caller(0), tokens: 1 });
  await assert.rejects(admit(), { code: 'store_unavailable' });
  await Promise.all([admit(), admit()]);
  assert.equal(attempts, 2);
});

test('limits that are set later find the past counted', async () => {
  const world = new World(new Map());
  for (let i = 0; i < 5; i += 1)
    await world.accounting.admit({ id: String(i), caller: caller(1), tokens: 1 });
  world.accounts.setLimits('team:o/t', { ...noLimits, requestsPerMinute: 5 });
  await assert.rejects(world.accounting.admit({ id: 'x', caller: caller(1), tokens: 1 }), {
    code: 'rate_limit_exceeded',
  });
});

test('one tenant cannot take every place', async () => {
  const accounting = accountingWith({ capacity: 9 });
  const admit = (id: string, tenant: string) =>
    accounting.admit({ id, caller: { ...caller(0), tenant }, tokens: 1 });
  const first = await admit('0', 'greedy');
  for (let id = 1; id < 8; id += 1) await admit(String(id), 'greedy');
  await assert.rejects(admit('8', 'greedy'), { code: 'queue_full' });
  await admit('9', 'modest');
  await assert.rejects(admit('10', 'modest'), { code: 'queue_full' });
  await first.settle(outcomeOf(new Tab(first)));
  await admit('11', 'modest');
});

test('what is refused a second answer keeps, and pays, the first', async () => {
  const world = new World(
    new Map([['key:0', { ...noLimits, budget: { nanodollars: 1_500_000, period: 'day' } }]]),
  );
  const admission = await world.accounting.admit({ id: '1', caller: caller(0), tokens: 1 });
  const tab = new Tab(admission);
  const bound = { promptTokens: 100, dearestPromptTokens: 1_000, completionTokens: 0 };
  const local = tab.open('small', prices.of({ id: 'small', isLocal: true }));
  local.reserve(bound);
  assert.equal(
    world.accounts.get('key:0').spent('day', world.now()).reserved,
    1_000_000,
    'by the dearest count',
  );
  assert.equal(local.settle({ promptTokens: 600, completionTokens: 0, cachedTokens: 0 }), 600_000);
  const second = tab.open('small', prices.of({ id: 'small', isLocal: true }));
  assert.throws(() => second.reserve(bound), { code: 'insufficient_quota' });
  second.settle(no);
  assert.equal(await admission.settle(outcomeOf(tab)), 600_000);
  assert.deepEqual(world.accounts.get('key:0').spent('day', world.now()).settled, 600_000);
  assert.deepEqual(
    world.kept.map(({ model, nanodollars }) => [model, nanodollars]),
    [['small', 600_000]],
  );
});

test('answers under way at once are held for together', async () => {
  const world = new World(
    new Map([['key:0', { ...noLimits, budget: { nanodollars: 1_500_000, period: 'day' } }]]),
  );
  const admission = await world.accounting.admit({ id: '1', caller: caller(0), tokens: 1 });
  const tab = new Tab(admission);
  const bound = { promptTokens: 1_000, dearestPromptTokens: 1_000, completionTokens: 0 };
  const open = () => tab.open('judge', prices.of({ id: 'judge', isLocal: true }));
  const first = open();
  first.reserve(bound);
  assert.throws(() => open().reserve(bound), { code: 'insufficient_quota' });
  assert.equal(world.accounts.get('key:0').spent('day', world.now()).reserved, 1_000_000);
});

import { seededRandom } from '../../src/support/random.js';
import { BudgetHome, RegionalShare } from './budget.js';
import { Events } from './events.js';

/**
 * How a budget is held in several regions. `split`: each has its part for good. `counted`: each spends while what it knows of
 * all is below the budget, and tells the others from time to time. `leased`: shares, as in budget.ts.
 */
export type Policy = 'split' | 'counted' | 'leased';

export interface SpendingOptions {
  policy: Policy;
  regions: number;
  budget: number; // millicents
  demand: number; // what all requests of the run would cost, as a multiple of the budget
  exchangeMs: number; // between a region's messages to home, or to the others
  aheadMs: number; // that a region's share is to last
  leaseMs: number;
  wayMs: number; // one way between regions
  cutOff: { fromMs: number; untilMs: number } | null; // the first region from all others
  runMs: number;
  seed: number;
}

export interface Spending {
  requests: number;
  spent: number;
  /** Beyond the budget, at most at any time. */
  overspent: number;
  /** Requests that were refused although the budget had room for them, all regions together. */
  wronglyRefused: number;
  /** Of the budget, when the run ended with more asked for. */
  unspent: number;
  messages: number;
}

const MEAN_COST = 200; // millicents
const DEAREST = 4; // times a mean cost that a request reserves, at most
const DEAREST_REQUEST = MEAN_COST * 1.5 * DEAREST;
const MEAN_DURATION_MS = 4_000;

/** A day of one budget, or part of it: requests come at rates that move from region to region. */
export function simulateSpending(options: SpendingOptions): Spending {
  const { regions: count, budget, runMs, demand } = options;
  const random = seededRandom(options.seed);
  const events = new Events();
  const names = Array.from({ length: count }, (_, index) => `region-${index}`);
  const purse = openPurse(options, events, names);
  const result: Spending = {
    requests: 0,
    spent: 0,
    overspent: 0,
    wronglyRefused: 0,
    unspent: 0,
    messages: 0,
  };
  let reserved = 0;
  const perMs = (demand * budget) / (MEAN_COST * runMs);

  const ask = (index: number) => {
    const most = Math.ceil(MEAN_COST * (0.5 + random()) * (1 + random() * (DEAREST - 1)));
    const cost = Math.min(most, Math.ceil(MEAN_COST * 2 * random()));
    const hasRoom = result.spent + reserved + most <= budget;
    result.requests += 1;
    if (!purse.reserve(index, most)) {
      if (hasRoom) result.wronglyRefused += 1;
      return;
    }
    reserved += most;
    events.after(-Math.log(1 - random()) * MEAN_DURATION_MS, () => {
      reserved -= most;
      purse.settle(index, most, cost);
      result.spent += cost;
      result.overspent = Math.max(result.overspent, result.spent - budget);
    });
  };
  const arrive = () => {
    ask(busyRegion(events.nowMs / runMs, count, random()));
    events.after(-Math.log(1 - random()) / perMs, arrive);
  };
  events.after(0, arrive);
  events.runUntil(runMs);
  result.unspent = Math.max(0, budget - result.spent - reserved);
  result.messages = purse.messages();
  return result;
}

/** Two thirds of the requests follow the sun; the others come from anywhere. */
function busyRegion(share: number, regions: number, draw: number): number {
  if (draw < 2 / 3) return Math.min(regions - 1, Math.floor(share * regions));
  return Math.floor((draw - 2 / 3) * 3 * regions) % regions;
}

interface Purse {
  reserve(region: number, most: number): boolean;
  settle(region: number, most: number, cost: number): void;
  messages(): number;
}

function openPurse(options: SpendingOptions, events: Events, names: readonly string[]): Purse {
  switch (options.policy) {
    case 'split':
      return splitPurse(options, names);
    case 'counted':
      return countedPurse(options, events, names);
    case 'leased':
      return leasedPurse(options, events, names);
  }
}

function isCut({ cutOff }: SpendingOptions, region: number, nowMs: number): boolean {
  return region === 0 && cutOff !== null && nowMs >= cutOff.fromMs && nowMs < cutOff.untilMs;
}

function splitPurse({ budget }: SpendingOptions, names: readonly string[]): Purse {
  const left = names.map(() => Math.floor(budget / names.length));
  return {
    reserve: (region, most) => {
      if (left[region]! < most) return false;
      left[region]! -= most;
      return true;
    },
    settle: (region, most, cost) => {
      left[region]! += most - cost;
    },
    messages: () => 0,
  };
}

function countedPurse(options: SpendingOptions, events: Events, names: readonly string[]): Purse {
  const own = names.map(() => 0); // spent and reserved
  const known = names.map(() => names.map(() => 0)); // by who knows it
  let messages = 0;
  events.every(options.exchangeMs, () => {
    for (const from of names.keys())
      for (const to of names.keys()) {
        if (from === to || isCut(options, from, events.nowMs) || isCut(options, to, events.nowMs)) continue;
        messages += 1;
        const value = own[from]!;
        events.after(options.wayMs, () => {
          known[to]![from] = value;
        });
      }
  });
  return {
    reserve: (region, most) => {
      const others = known[region]!.reduce((sum, each) => sum + each, 0);
      if (own[region]! + others + most > options.budget) return false;
      own[region]! += most;
      return true;
    },
    settle: (region, most, cost) => {
      own[region]! += cost - most;
    },
    messages: () => messages,
  };
}

function leasedPurse(options: SpendingOptions, events: Events, names: readonly string[]): Purse {
  const { aheadMs, budget, exchangeMs, leaseMs, wayMs } = options;
  const home = new BudgetHome(budget, names.length);
  const shares = names.map(() => new RegionalShare(leaseMs, aheadMs / exchangeMs, DEAREST_REQUEST));
  let messages = 0;
  events.every(exchangeMs, () => {
    for (const [region, name] of names.entries()) {
      const sentMs = events.nowMs;
      if (isCut(options, region, sentMs)) continue;
      messages += 1;
      const held = shares[region]!;
      const report = held.report();
      events.after(wayMs, () => {
        const granted = home.exchange(name, report);
        events.after(wayMs, () => {
          if (!isCut(options, region, events.nowMs)) held.renew(granted, sentMs);
        });
      });
    }
  });
  return {
    reserve: (region, most) => shares[region]!.reserve(most, events.nowMs),
    settle: (region, most, cost) => shares[region]!.settle(most, cost),
    messages: () => messages,
  };
}

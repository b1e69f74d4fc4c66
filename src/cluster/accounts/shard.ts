import type { Amounts } from '../../limits/account.js';
import { type BoundUse, Refusal, type Standing } from '../../limits/refusal.js';
import type { Argument, Reply } from '../../redis/client.js';
import type { RedisLink } from '../../redis/link.js';
import type { Script } from '../../redis/script.js';
import type { Limits, Period, RecentUse, ScopeLimits, ScopeTotals } from '../../store/types.js';
import * as scripts from './scripts.js';

/** What was decided about a request, by Redis's clock. */
export interface Decision {
  atMs: number; // since 1970
  bounds: BoundUse[];
  refusal: Refusal | null;
}

/** What the ledger says was used, for a shard that has forgotten it. */
export interface UseBefore {
  /** Days since 1970 on which the day, week and month of the totals began. */
  days: readonly [number, number, number];
  totals: readonly ScopeTotals[];
  /** Of scopes that have totals. */
  recent: readonly RecentUse[];
  /** Requests among it that their gateways may settle again, not knowing that it came back. */
  settled: readonly string[];
}

/** Replies of scripts that couldn't do anything. */
const UNKNOWN = -1;
const NOT_HELD = -2;

/** The shard has lost what it knew, or never knew anything. */
export class ForgottenError extends Error {}

/** Nothing is held for the request. */
export class NotHeldError extends Error {}

export interface GatewayNames {
  gateway: string; // of the process: what it holds is freed when it is gone
  reader: string; // of its ledger: what it has settled, it may settle again when it has started again
}

/** The accounts of some organisations, which lie in one slot of Redis, as one gateway works on them. */
export class AccountShard {
  readonly #redis: RedisLink;
  readonly #gateway: string;
  readonly #settledKey: string;
  readonly #leaseMs: number;
  readonly #key: (part: string) => string;

  constructor(redis: RedisLink, number: number, { gateway, reader }: GatewayNames, leaseMs: number) {
    this.#redis = redis;
    this.#gateway = gateway;
    this.#leaseMs = leaseMs;
    this.#key = (part) => redis.keys.accounts(number, part);
    this.#settledKey = this.#key(`settled:${reader}`);
  }

  async take(id: string, scopes: readonly ScopeLimits[], amounts: Amounts): Promise<Decision> {
    return decisionOf(await this.#decide(scripts.take, id, scopes, amounts), scopes);
  }

  /** Rejects with NotHeldError. */
  async change(id: string, scopes: readonly ScopeLimits[], amounts: Amounts): Promise<Decision> {
    return decisionOf(await this.#decide(scripts.change, id, scopes, amounts), scopes);
  }

  /** Without asking: it was let in before. */
  async hold(id: string, scopes: readonly string[], amounts: Amounts, atMs: number): Promise<void> {
    await this.#run(scripts.hold, scopes, [id, ...listOf(amounts), atMs]);
  }

  /** `entry`: for the ledger. Until it is forgotten, to settle it again changes nothing. */
  async settle(
    id: string,
    scopes: readonly ScopeLimits[],
    actual: Amounts,
    atMs: number,
    entry: Buffer,
  ): Promise<Standing[]> {
    const marks = [this.#settledKey, this.#key(`restored:${id}`)];
    const keys = [this.#key('ledger'), ...marks, ...this.#useKeys(scopes)];
    const args = [id, ...listOf(actual), atMs, entry, ...scopes.map(periodOf)];
    return standingsOf(await this.#send(scripts.settle, keys, args), scopes);
  }

  /** Requests that this gateway has settled, and may settle again. */
  async settled(): Promise<string[]> {
    return ((await this.#redis.commands.send(this.#settledKey, ['HKEYS', this.#settledKey])) as Buffer[]).map(
      String,
    );
  }

  /** This gateway won't settle them again. */
  async forgetSettled(ids: readonly string[]): Promise<void> {
    await this.#redis.commands.send(this.#settledKey, ['HDEL', this.#settledKey, ...ids]);
  }

  async release(id: string): Promise<void> {
    await this.#run(scripts.release, [], [id]);
  }

  /** The requests that are held for this gateway. */
  async renew(): Promise<Set<string>> {
    const [, held] = (await this.#run(scripts.renew, [], [])) as [number, Buffer[]];
    return new Set(held.map(String));
  }

  async standings(scopes: readonly ScopeLimits[]): Promise<Standing[]> {
    const names = scopes.map(({ scope }) => scope);
    return standingsOf(await this.#run(scripts.standings, names, scopes.map(periodOf)), scopes);
  }

  async restore({ days, totals, recent, settled }: UseBefore): Promise<void> {
    const numberOf = new Map(totals.map(({ scope }, index) => [scope, index + 1]));
    const sums = totals.flatMap((total) => [
      total.requestsOfDay,
      total.tokensOfDay,
      total.nanodollarsOfDay,
      total.nanodollarsOfWeek,
      total.nanodollarsOfMonth,
    ]);
    const seconds = recent.flatMap(({ scope, atMs, requests, tokens }) => [
      numberOf.get(scope)!,
      atMs,
      requests,
      tokens,
    ]);
    const keys = [this.#key('clock'), ...this.#useKeys(totals)];
    await this.#redis.commands.run(scripts.restore, keys, [
      ...days,
      ...sums,
      ...seconds,
      this.#key('restored:'),
      settled.join(' '),
    ]);
  }

  #decide(script: Script, id: string, scopes: readonly ScopeLimits[], amounts: Amounts): Promise<Reply> {
    const limits = scopes.flatMap((each) => limitArguments(each.limits));
    const names = scopes.map(({ scope }) => scope);
    return this.#run(script, names, [id, ...listOf(amounts), ...limits]);
  }

  #run(script: Script, scopes: readonly string[], args: readonly (Argument | number)[]): Promise<Reply> {
    const keys = scopes.map((scope) => this.#key(`use:${scope}`));
    return this.#send(script, keys, args);
  }

  async #send(script: Script, keys: readonly string[], args: readonly (Argument | number)[]): Promise<Reply> {
    const own = [this.#key('clock'), this.#key('leases'), this.#key(`held:${this.#gateway}`)];
    const reply = await this.#redis.commands.run(
      script,
      [...own, ...keys],
      [this.#gateway, this.#leaseMs, ...args],
    );
    const [status] = reply as Reply[];
    if (status === UNKNOWN) throw new ForgottenError();
    if (status === NOT_HELD) throw new NotHeldError();
    return reply;
  }

  #useKeys(scopes: readonly { scope: string }[]): string[] {
    return scopes.map(({ scope }) => this.#key(`use:${scope}`));
  }
}

function listOf({ requests, tokens, nanodollars }: Amounts): number[] {
  return [requests, tokens, nanodollars];
}

function limitArguments(limits: Limits): (Argument | number)[] {
  return [
    limits.requestsPerMinute,
    limits.tokensPerMinute,
    limits.requestsPerDay,
    limits.tokensPerDay,
    limits.concurrency,
    limits.budget?.nanodollars,
    limits.budget?.period,
  ].map((each) => each ?? '');
}

type BoundName = Pick<BoundUse, 'scope' | 'unit' | 'span' | 'limit'>;

/** In the order of the scripts. */
function boundNames({ scope, limits }: ScopeLimits): BoundName[] {
  const { budget } = limits;
  const all: [BoundUse['unit'], BoundUse['span'], number | null][] = [
    ['requests', 'minute', limits.requestsPerMinute],
    ['tokens', 'minute', limits.tokensPerMinute],
    ['requests', 'day', limits.requestsPerDay],
    ['tokens', 'day', limits.tokensPerDay],
    ['nanodollars', budget?.period ?? 'month', budget?.nanodollars ?? null],
  ];
  return all.flatMap(([unit, span, limit]) => (limit === null ? [] : [{ scope, unit, span, limit }]));
}

/** Of the budget; without one, the month is shown. */
function periodOf({ limits }: Pick<ScopeLimits, 'limits'>): Period {
  return limits.budget?.period ?? 'month';
}

type DecisionReply = [number, number, number[], [number, number, number][], StandingReply[]];
type StandingReply = [number, number, number, number];

function decisionOf(reply: Reply, scopes: readonly ScopeLimits[]): Decision {
  const [isTaken, atMs, busy, uses, standings] = reply as unknown as DecisionReply;
  const names = scopes.flatMap(boundNames);
  const bounds = uses.map(([used, resetMs], index) => ({ ...names[index]!, used, resetMs }));
  if (isTaken === 1) return { atMs, bounds, refusal: null };
  const exceeded = bounds.filter((_, index) => uses[index]![2] !== 0);
  const waits = uses.map(([, , wait]) => (wait < 0 ? Number.POSITIVE_INFINITY : wait));
  const refused = new Set(exceeded.filter(({ unit }) => unit === 'nanodollars').map(({ scope }) => scope));
  const refusal = new Refusal({
    bounds: exceeded,
    quota: bounds,
    busy: busy.map((number) => {
      const { scope, limits } = scopes[number - 1]!;
      return { scope, concurrency: limits.concurrency! };
    }),
    waitMs: Math.max(0, ...waits),
    standings: standingsOf(standings, scopes).filter(({ scope }) => refused.has(scope)),
  });
  return { atMs, bounds, refusal };
}

function standingsOf(reply: Reply, scopes: readonly ScopeLimits[]): Standing[] {
  return (reply as StandingReply[]).map(([sinceMs, settled, reserved, running], index) => {
    const { scope, limits } = scopes[index]!;
    const budget = limits.budget?.nanodollars ?? null;
    return { scope, period: periodOf({ limits }), budget, sinceMs, settled, reserved, running };
  });
}

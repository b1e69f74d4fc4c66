import type { Books, Hold } from '../../cost/books.js';
import type { SluiceError } from '../../errors.js';
import type { Amounts } from '../../limits/account.js';
import type { Refusal, Standing } from '../../limits/refusal.js';
import type { RedisLink } from '../../redis/link.js';
import { orAway } from '../../redis/or-away.js';
import { pack } from '../../redis/packing.js';
import {
  type LedgerEntry,
  type Limits,
  noLimits,
  organisationOf,
  type ScopeLimits,
  scopesOf,
} from '../../store/types.js';
import type { Allowance } from './allowance.js';
import { accountsAway } from './away.js';
import type { Settlements } from './settlements.js';
import { AccountShard, ForgottenError, NotHeldError, type UseBefore } from './shard.js';
import { shardOf } from './sharding.js';
import { type HoldKeeper, SharedHold } from './shared-hold.js';
import { readStandings } from './standings.js';

export interface SharedBooksOptions {
  redis: RedisLink;
  gateway: string;
  reader: string; // of the shared ledger; the same over restarts
  leaseMs: number; // after a gateway's last sign of life, what it holds is freed
  allowance: Allowance;
  settlements: Settlements;
  /** What the ledger knows of a shard that has forgotten it. */
  usedBefore: (shard: number) => Promise<UseBefore>;
  shards: number;
  /** The organisation of a key; null: there is no such key. */
  ownerOf: (keyId: string) => string | null;
}

/** Signs of life in a lease. */
const RENEWALS = 4;
const MAX_RESTORATIONS = 3;

/**
 * Limits and budgets that all gateways of a cluster share: each decision is one function that Redis runs, by its own clock. A
 * gateway says regularly that it is there, and then compares what it holds with what Redis thinks it does.
 */
export class SharedBooks implements Books {
  readonly #options: SharedBooksOptions;
  readonly #shards: readonly AccountShard[];
  readonly #limits = new Map<string, Limits>();
  readonly #holds: readonly Map<string, SharedHold>[]; // by shard; those that Redis knows of, or should
  readonly #pending = new Set<string>(); // being taken
  readonly #isUsed: boolean[] = []; // by shard: Redis may hold something for this gateway
  readonly #restoring = new Map<number, Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  #isRenewing = false;

  constructor(options: SharedBooksOptions) {
    const { redis, leaseMs, shards } = options;
    this.#options = options;
    this.#shards = Array.from({ length: shards }, (_, n) => new AccountShard(redis, n, options, leaseMs));
    this.#holds = this.#shards.map(() => new Map());
    this.#timer = setInterval(() => void this.#renew(), leaseMs / RENEWALS).unref();
  }

  limitsOf(scope: string): Limits {
    return this.#limits.get(scope) ?? noLimits;
  }

  setLimits(scope: string, limits: Limits): void {
    this.#limits.set(scope, limits);
  }

  fault(): SluiceError | null {
    const { redis, allowance, settlements } = this.#options;
    if (settlements.isFull) return accountsAway();
    return redis.commands.isUp || !allowance.isUsedUp ? null : accountsAway();
  }

  async take(id: string, scopes: readonly string[], amounts: Amounts): Promise<Hold | Refusal> {
    const shard = this.#shardOf(scopes);
    this.#pending.add(id);
    try {
      const decision = await this.#at(shard, (accounts) => accounts.take(id, this.#limited(scopes), amounts));
      this.#options.allowance.renew();
      if (decision.refusal) return decision.refusal;
      return this.#held(shard, new SharedHold(this.#keeper, id, scopes, amounts, decision));
    } catch (error) {
      if (!this.#options.allowance.grant(amounts)) throw accountsAway(error);
      const now = { atMs: Date.now(), bounds: [] };
      return this.#held(shard, new SharedHold(this.#keeper, id, scopes, amounts, now));
    } finally {
      this.#pending.delete(id);
    }
  }

  standings(): Promise<Standing[]> {
    const scopes = Array.from(this.#limits, ([scope, limits]) => ({ scope, limits }));
    const read = (shard: number, own: readonly ScopeLimits[]) =>
      this.#at(shard, (accounts) => accounts.standings(own));
    return orAway(readStandings(scopes, this.#shards.length, this.#options.ownerOf, read));
  }

  /** Counts an entry where it was reserved, or should have been, and adds it to the shared ledger. */
  post(entry: LedgerEntry): Promise<Standing[]> {
    const scopes = scopesOf(entry);
    const { id, inputTokens, outputTokens, nanodollars, admittedAtMs } = entry;
    const actual = { requests: 1, tokens: inputTokens + outputTokens, nanodollars };
    return this.#at(this.#shardOf(scopes), (accounts) =>
      accounts.settle(id, this.#limited(scopes), actual, admittedAtMs, pack(entry)),
    );
  }

  /** These won't be posted again. */
  async forget(entries: readonly LedgerEntry[]): Promise<void> {
    const byShard = this.#shards.map((): string[] => []);
    for (const { id, organisation } of entries) byShard[shardOf(organisation, this.#shards.length)]!.push(id);
    for (const [shard, ids] of byShard.entries())
      if (ids.length > 0) await this.#shards[shard]!.forgetSettled(ids);
  }

  /** No others of this ledger's entries will be posted again. */
  async forgetAllBut(ids: ReadonlySet<string>): Promise<void> {
    for (const accounts of this.#shards) {
      const old = (await accounts.settled()).filter((id) => !ids.has(id));
      if (old.length > 0) await accounts.forgetSettled(old);
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  readonly #keeper: HoldKeeper = {
    change: ({ id, scopes, amounts: before, atMs }, amounts) => {
      const limited = this.#limited(scopes);
      return this.#at(this.#shardOf(scopes), async (accounts) => {
        try {
          return await accounts.change(id, limited, amounts);
        } catch (error) {
          if (!(error instanceof NotHeldError)) throw error;
          await accounts.hold(id, scopes, before, atMs);
          return await accounts.change(id, limited, amounts);
        }
      });
    },
    grant: (more) => this.#options.allowance.grant(more),
    settle: async ({ id, scopes }, entry) => {
      const standings = await this.#options.settlements.post(entry);
      this.#holds[this.#shardOf(scopes)]!.delete(id);
      return standings.filter(({ budget }) => budget !== null);
    },
    release: async ({ id, scopes }) => {
      const shard = this.#shardOf(scopes);
      await this.#at(shard, (accounts) => accounts.release(id)).catch(() => undefined); // the next renewal finds it
      this.#holds[shard]!.delete(id);
    },
  };

  #held(shard: number, hold: SharedHold): SharedHold {
    this.#holds[shard]!.set(hold.id, hold);
    return hold;
  }

  async #at<T>(shard: number, work: (accounts: AccountShard) => Promise<T>): Promise<T> {
    const accounts = this.#shards[shard]!;
    this.#isUsed[shard] = true;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await work(accounts);
      } catch (error) {
        if (!(error instanceof ForgottenError) || attempt === MAX_RESTORATIONS) throw error;
        await this.#restore(shard);
      }
    }
  }

  #restore(shard: number): Promise<void> {
    const running = this.#restoring.get(shard);
    if (running) return running;
    const restoring = this.#options
      .usedBefore(shard)
      .then((before) => this.#shards[shard]!.restore(before))
      .finally(() => this.#restoring.delete(shard));
    this.#restoring.set(shard, restoring);
    return restoring;
  }

  async #renew(): Promise<void> {
    if (this.#isRenewing) return;
    this.#isRenewing = true;
    try {
      for (const [shard, holds] of this.#holds.entries())
        if (holds.size > 0 || this.#isUsed[shard]) await this.#reconcile(shard, holds);
    } catch {
      // Redis is away; the next time may succeed.
    } finally {
      this.#isRenewing = false;
    }
  }

  /** A lease that ran out, or a Redis that forgot, has lost holds; a reply that was lost has left some behind. */
  async #reconcile(shard: number, holds: ReadonlyMap<string, SharedHold>): Promise<void> {
    const before = [...holds.values()];
    await this.#at(shard, async (accounts) => {
      const held = await accounts.renew();
      for (const hold of before)
        if (!held.has(hold.id) && !hold.isEnding)
          await accounts.hold(hold.id, hold.scopes, hold.amounts, hold.atMs);
      for (const id of held)
        if (!holds.has(id) && !this.#pending.has(id) && !this.#options.settlements.isUnsent(id))
          await accounts.release(id);
      if (held.size === 0) this.#isUsed[shard] = holds.size > 0;
    });
  }

  #limited(scopes: readonly string[]): ScopeLimits[] {
    return scopes.map((scope) => ({ scope, limits: this.limitsOf(scope) }));
  }

  #shardOf(scopes: readonly string[]): number {
    return shardOf(organisationOf(scopes.at(-1)!)!, this.#shards.length);
  }
}

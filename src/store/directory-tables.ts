import type Libsql from 'libsql';
import { SluiceError } from '../errors.js';
import { writeTransaction } from '../support/write-transaction.js';
import type { DirectoryChange, KeyRecord, Limits, Period, ScopeLimits } from './types.js';

interface KeyRow {
  id: string;
  name: string;
  hash: string;
  previous_hash: string | null;
  previous_until_ms: number | null;
  organisation: string;
  team: string | null;
  user: string | null;
  is_admin: number;
  models: string | null;
  guard_profile: string | null;
  created_ms: number;
  expires_ms: number | null;
  revoked_ms: number | null;
}

interface LimitsRow {
  scope: string;
  requests_per_minute: number | null;
  tokens_per_minute: number | null;
  requests_per_day: number | null;
  tokens_per_day: number | null;
  concurrency: number | null;
  budget_nanodollars: number | null;
  budget_period: Period | null;
}

/** Keys, and the limits of scopes. */
export class DirectoryTables {
  readonly #database: Libsql.Database;
  readonly #statements;

  constructor(database: Libsql.Database) {
    this.#database = database;
    this.#statements = {
      nextRevision: database.prepare('UPDATE directory SET revision = revision + 1 RETURNING revision'),
      revision: database.prepare('SELECT revision FROM directory'),
      keysSince: database.prepare('SELECT * FROM keys WHERE revision > ?'),
      limitsSince: database.prepare('SELECT * FROM limits WHERE revision > ?'),
      key: database.prepare('SELECT * FROM keys WHERE id = ?'),
      insertKey: database.prepare(
        `INSERT INTO keys VALUES (:id, :name, :hash, NULL, NULL, :organisation, :team, :user, :isAdmin, :models,
         :guardProfile, :createdAtMs, :expiresAtMs, NULL, :revision)`,
      ),
      revokeKey: database.prepare(
        'UPDATE keys SET revoked_ms = coalesce(revoked_ms, ?), revision = ? WHERE id = ?',
      ),
      rotateKey: database.prepare(
        'UPDATE keys SET previous_hash = hash, previous_until_ms = ?, hash = ?, revision = ? WHERE id = ?',
      ),
      limits: database.prepare('SELECT * FROM limits WHERE scope = ?'),
      putLimits: database.prepare(
        `INSERT OR REPLACE INTO limits VALUES (:scope, :requestsPerMinute, :tokensPerMinute, :requestsPerDay,
         :tokensPerDay, :concurrency, :budget, :period, :revision)`,
      ),
    };
  }

  /** One look at the revision where nothing has changed. */
  changesSince(revision: number): DirectoryChange {
    const { revision: now } = this.#statements.revision.get() as { revision: number };
    if (now === revision) return { revision, keys: [], limits: [] };
    return this.#database.transaction(() => {
      const { revision: current } = this.#statements.revision.get() as { revision: number };
      const keys = (this.#statements.keysSince.all(revision) as KeyRow[]).map(keyOf);
      const limits = (this.#statements.limitsSince.all(revision) as LimitsRow[]).map(scopeLimitsOf);
      return { revision: current, keys, limits };
    })();
  }

  createKey(key: KeyRecord, limits: Limits): void {
    this.#change((revision) => {
      this.#statements.insertKey.run({
        id: key.id,
        name: key.name,
        hash: key.hash,
        organisation: key.organisation,
        team: key.team,
        user: key.user,
        isAdmin: key.isAdmin ? 1 : 0,
        models: key.models === null ? null : JSON.stringify(key.models),
        guardProfile: key.guardProfile,
        createdAtMs: key.createdAtMs,
        expiresAtMs: key.expiresAtMs,
        revision,
      });
      this.#putLimits(`key:${key.id}`, limits, revision);
    });
  }

  /** A key that is revoked already stays so since then. Throws not_found. */
  revokeKey(id: string, nowMs: number): KeyRecord {
    return this.#change((revision) => {
      this.#liveKey(id, false);
      this.#statements.revokeKey.run(nowMs, revision, id);
      return this.#liveKey(id, false);
    });
  }

  /** The key before stays good until `previousUntilMs`. Throws not_found, also where the key is revoked. */
  rotateKey(id: string, hash: string, previousUntilMs: number): KeyRecord {
    return this.#change((revision) => {
      this.#liveKey(id, true);
      this.#statements.rotateKey.run(previousUntilMs, hash, revision, id);
      return this.#liveKey(id, true);
    });
  }

  setLimits({ scope, limits }: ScopeLimits): void {
    this.#change((revision) => {
      if (scope.startsWith('key:')) this.#liveKey(scope.slice('key:'.length), false);
      this.#putLimits(scope, limits, revision);
    });
  }

  limitsOf(scope: string): Limits | null {
    const row = this.#statements.limits.get(scope) as LimitsRow | undefined;
    return row ? scopeLimitsOf(row).limits : null;
  }

  #change<T>(write: (revision: number) => T): T {
    return writeTransaction(this.#database, () => {
      const { revision } = this.#statements.nextRevision.get() as { revision: number };
      return write(revision);
    });
  }

  #liveKey(id: string, mustWork: boolean): KeyRecord {
    const row = this.#statements.key.get(id) as KeyRow | undefined;
    if (row && !(mustWork && row.revoked_ms !== null)) return keyOf(row);
    throw new SluiceError('not_found', `There is no key ${JSON.stringify(id)}${row ? ' in force' : ''}.`, {
      param: 'id',
    });
  }

  #putLimits(scope: string, limits: Limits, revision: number): void {
    const { budget, ...rest } = limits;
    this.#statements.putLimits.run({
      scope,
      ...rest,
      budget: budget?.nanodollars ?? null,
      period: budget?.period ?? null,
      revision,
    });
  }
}

function keyOf(row: KeyRow): KeyRecord {
  return {
    id: row.id,
    name: row.name,
    hash: row.hash,
    previousHash: row.previous_hash,
    previousUntilMs: row.previous_until_ms,
    organisation: row.organisation,
    team: row.team,
    user: row.user,
    isAdmin: row.is_admin !== 0,
    models: row.models === null ? null : (JSON.parse(row.models) as string[]),
    guardProfile: row.guard_profile,
    createdAtMs: row.created_ms,
    expiresAtMs: row.expires_ms,
    revokedAtMs: row.revoked_ms,
  };
}

function scopeLimitsOf(row: LimitsRow): ScopeLimits {
  const { budget_nanodollars: nanodollars, budget_period: period } = row;
  return {
    scope: row.scope,
    limits: {
      requestsPerMinute: row.requests_per_minute,
      tokensPerMinute: row.tokens_per_minute,
      requestsPerDay: row.requests_per_day,
      tokensPerDay: row.tokens_per_day,
      concurrency: row.concurrency,
      budget: nanodollars === null || period === null ? null : { nanodollars, period },
    },
  };
}

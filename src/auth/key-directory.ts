import type { DirectoryChange, KeyRecord, ScopeLimits } from '../store/types.js';
import type { Caller } from './caller.js';
import { idOfKey, matches, type StoredSecret, storedSecret } from './key.js';

export interface DirectorySource {
  changesSince(revision: number): Promise<DirectoryChange>;
}

interface Entry {
  record: KeyRecord;
  secret: StoredSecret;
  caller: Caller;
}

/** Every key, in memory; the store is asked only for what has changed. */
export class KeyDirectory {
  readonly #source: DirectorySource;
  readonly #onLimits: (limits: ScopeLimits) => void;
  readonly #entries = new Map<string, Entry>();
  #revision = 0;
  #running: Promise<void> | null = null;
  #queued: Promise<void> | null = null;

  constructor(source: DirectorySource, onLimits: (limits: ScopeLimits) => void) {
    this.#source = source;
    this.#onLimits = onLimits;
  }

  /** Whether any key was ever made: a server whose last key is revoked doesn't open itself to everyone. */
  get hasKeys(): boolean {
    return this.#entries.size > 0;
  }

  records(): KeyRecord[] {
    return [...this.#entries.values()].map(({ record }) => record);
  }

  /**
   * Resolves when everything that was written before the call is known. However many callers wait, the store is asked once
   * at a time: requests with wrong keys can't exhaust it.
   */
  refresh(): Promise<void> {
    if (!this.#running) return this.#start();
    this.#queued ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#queued = null;
        return this.#start();
      });
    return this.#queued;
  }

  /** The caller whose key this is; null where it is nobody's, revoked or expired. */
  find(key: string, nowMs: number): Caller | null {
    const id = idOfKey(key);
    if (id === null) return null;
    const entry = this.#entries.get(id);
    return matches(key, entry?.secret, nowMs) && entry && isInForce(entry.record, nowMs)
      ? entry.caller
      : null;
  }

  /** The same caller as it is now; null where its key has been revoked or has expired since. */
  current(keyId: string, nowMs: number): Caller | null {
    const entry = this.#entries.get(keyId);
    return entry && isInForce(entry.record, nowMs) ? entry.caller : null;
  }

  #start(): Promise<void> {
    this.#running = this.#load().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #load(): Promise<void> {
    const { revision, keys, limits } = await this.#source.changesSince(this.#revision);
    for (const scope of limits) this.#onLimits(scope);
    for (const record of keys)
      this.#entries.set(record.id, { record, secret: storedSecret(record), caller: callerOf(record) });
    this.#revision = revision;
  }
}

function isInForce({ revokedAtMs, expiresAtMs }: KeyRecord, nowMs: number): boolean {
  return revokedAtMs === null && (expiresAtMs === null || expiresAtMs > nowMs);
}

function callerOf(record: KeyRecord): Caller {
  const { id, organisation, team, user, isAdmin, models, guardProfile } = record;
  return {
    keyId: id,
    tenant: organisation,
    team,
    user,
    isAdmin,
    models: models && new Set(models),
    guardProfile,
  };
}

import type { KeyStore } from '../../auth/administration.js';
import type { DirectorySource } from '../../auth/key-directory.js';
import { SluiceError } from '../../errors.js';
import type { DirectoryChange, KeyRecord, Limits, ScopeLimits } from '../../store/types.js';
import type { RedisLink } from '../redis/link.js';
import * as scripts from './scripts.js';

/** Fields read in one step, so that Redis is never held up for long. */
const PAGE = 1_000;
const MAX_CONFLICTS = 100;

const keyField = (id: string) => `key:${id}`;
const limitsField = (scope: string) => `limits:${scope}`;

interface Change {
  field: string;
  expected: string; // JSON; '': there is none
  value: string; // JSON
}

/**
 * Keys (their hashes only) and limits, for all gateways. What was read is remembered, so that whoever finds that Redis has lost it
 * can bring it back.
 */
export class RedisDirectory implements KeyStore, DirectorySource {
  readonly #redis: RedisLink;
  readonly #seen = new Map<string, { revision: number; value: string }>();
  #revision = 0;

  constructor(redis: RedisLink) {
    this.#redis = redis;
  }

  /** Calls `listener` whenever something has changed. */
  watch(listener: () => void): Promise<void> {
    return this.#redis.subscriber.subscribe(this.#redis.keys.directoryBell, listener);
  }

  /** The organisation of a key, as of the last look; null: there is no such key. */
  ownerOf(id: string): string | null {
    const seen = this.#seen.get(keyField(id));
    return seen ? (JSON.parse(seen.value) as KeyRecord).organisation : null;
  }

  async changesSince(revision: number): Promise<DirectoryChange> {
    const change: DirectoryChange = { revision, keys: [], limits: [] };
    for (;;) {
      const [newest, ...found] = await this.#since(change.revision);
      if (newest < this.#revision) {
        await this.#restore();
        continue;
      }
      for (const [field, at, value] of found) {
        change.revision = at;
        this.#seen.set(field, { revision: at, value });
        if (field.startsWith('key:')) change.keys.push(JSON.parse(value) as KeyRecord);
        else
          change.limits.push({ scope: field.slice('limits:'.length), limits: JSON.parse(value) as Limits });
      }
      this.#revision = Math.max(this.#revision, change.revision);
      if (found.length < PAGE) return change;
    }
  }

  /** Its limits come first, so that no gateway ever knows the key without them. */
  async createKey(record: KeyRecord, limits: Limits): Promise<void> {
    const isNew = await this.#put([
      { field: limitsField(keyField(record.id)), expected: '', value: JSON.stringify(limits) },
      { field: keyField(record.id), expected: '', value: JSON.stringify(record) },
    ]);
    if (!isNew)
      throw new SluiceError('duplicate_id', `There is a key ${record.id} already.`, { param: 'id' });
  }

  revokeKey(id: string, nowMs: number): Promise<KeyRecord> {
    return this.#change(id, (record) => ({ ...record, revokedAtMs: record.revokedAtMs ?? nowMs }));
  }

  rotateKey(id: string, hash: string, previousUntilMs: number): Promise<KeyRecord> {
    return this.#change(id, (record) => {
      if (record.revokedAtMs !== null) throw noKey(id, ' in force');
      return { ...record, hash, previousHash: record.hash, previousUntilMs };
    });
  }

  async setLimits({ scope, limits }: ScopeLimits): Promise<void> {
    const id = scope.startsWith('key:') ? scope.slice('key:'.length) : null;
    if (id !== null && (await this.#get(keyField(id))) === null) throw noKey(id);
    const field = limitsField(scope);
    await this.#replace(field, () => JSON.stringify(limits));
  }

  async limitsOf(scope: string): Promise<Limits | null> {
    const value = await this.#get(limitsField(scope));
    return value === null ? null : (JSON.parse(value) as Limits);
  }

  async #change(id: string, change: (record: KeyRecord) => KeyRecord): Promise<KeyRecord> {
    const value = await this.#replace(keyField(id), (before) => {
      if (before === null) throw noKey(id);
      return JSON.stringify(change(JSON.parse(before) as KeyRecord));
    });
    return JSON.parse(value) as KeyRecord;
  }

  /** Again where another has changed it meanwhile. */
  async #replace(field: string, replace: (before: string | null) => string): Promise<string> {
    for (let attempt = 0; attempt < MAX_CONFLICTS; attempt += 1) {
      const before = await this.#get(field);
      const value = replace(before);
      if (await this.#put([{ field, expected: before ?? '', value }])) return value;
    }
    throw new SluiceError('store_unavailable', 'Too many changes at once.', { retryAfterSeconds: 1 });
  }

  async #get(field: string): Promise<string | null> {
    const key = this.#redis.keys.directory('values');
    const value = await this.#redis.commands.send(key, ['HGET', key, field]);
    return value === null ? null : String(value);
  }

  async #put(changes: readonly Change[]): Promise<boolean> {
    const args = changes.flatMap(({ field, expected, value }) => [field, expected, value]);
    const bell = this.#redis.keys.directoryBell;
    return (await this.#redis.commands.run(scripts.put, this.#keys, [bell, this.#revision, ...args])) === 1;
  }

  async #since(revision: number): Promise<[number, ...[string, number, string][]]> {
    const reply = await this.#redis.commands.run(scripts.since, this.#keys, [revision, PAGE]);
    const [newest, ...found] = reply as [number, ...[Buffer, number, Buffer][]];
    return [
      newest,
      ...found.map(([field, at, value]): [string, number, string] => [String(field), at, String(value)]),
    ];
  }

  async #restore(): Promise<void> {
    const args = [...this.#seen].flatMap(([field, { revision, value }]) => [field, revision, value]);
    const bell = this.#redis.keys.directoryBell;
    await this.#redis.commands.run(scripts.restore, this.#keys, [bell, this.#revision, ...args]);
  }

  get #keys(): string[] {
    const { keys } = this.#redis;
    return [keys.directory('revision'), keys.directory('changes'), keys.directory('values')];
  }
}

function noKey(id: string, state = ''): SluiceError {
  return new SluiceError('not_found', `There is no key ${JSON.stringify(id)}${state}.`, { param: 'id' });
}

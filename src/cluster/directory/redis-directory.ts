import type { KeyStore } from '../../auth/administration.js';
import type { DirectorySource } from '../../auth/key-directory.js';
import { SluiceError } from '../../errors.js';
import type { Reply } from '../../redis/client.js';
import type { RedisLink } from '../../redis/link.js';
import type { Script } from '../../redis/script.js';
import type { DirectoryChange, KeyRecord, Limits, ScopeLimits } from '../../store/types.js';
import * as scripts from './scripts.js';

/** Fields read in one step, so that Redis is never held up for long. */
const PAGE = 1_000;
const MAX_CONFLICTS = 100;

const keyField = (id: string) => `key:${id}`;
const limitsField = (scope: string) => `limits:${scope}`;

interface Change {
  field: string;
  expected: string; // value; '': there is none
  json: string;
}

/**
 * Keys (their hashes only) and limits, for all gateways. What was read is remembered, so that whoever finds that Redis has lost it
 * can bring it back.
 */
export class RedisDirectory implements KeyStore, DirectorySource {
  readonly #redis: RedisLink;
  readonly #values = new Map<string, string>(); // as Redis has them
  #newest: { field: string; revision: number } | null = null; // the last change that was read

  constructor(redis: RedisLink) {
    this.#redis = redis;
  }

  /** Calls `listener` whenever something has changed. */
  watch(listener: () => void): Promise<void> {
    return this.#redis.subscriber.subscribe(this.#redis.keys.directoryBell, listener);
  }

  /** The organisation of a key, as of the last look; null: there is no such key. */
  ownerOf(id: string): string | null {
    const value = this.#values.get(keyField(id));
    return value === undefined ? null : (JSON.parse(jsonOf(value)) as KeyRecord).organisation;
  }

  async changesSince(revision: number): Promise<DirectoryChange> {
    const change: DirectoryChange = { revision, keys: [], limits: [] };
    for (;;) {
      const page = await this.#since(change.revision);
      if (page === null) {
        await this.#restore();
        change.revision = 0;
        continue;
      }
      for (const [field, at, value] of page) {
        change.revision = at;
        this.#values.set(field, value);
        const json = jsonOf(value);
        if (field.startsWith('key:')) change.keys.push(JSON.parse(json) as KeyRecord);
        else change.limits.push({ scope: field.slice('limits:'.length), limits: JSON.parse(json) as Limits });
      }
      const last = page.at(-1);
      if (last) this.#newest = { field: last[0], revision: last[1] };
      if (page.length < PAGE) return change;
    }
  }

  /** Its limits come first, so that no gateway ever knows the key without them. */
  async createKey(record: KeyRecord, limits: Limits): Promise<void> {
    const isNew = await this.#put([
      { field: limitsField(keyField(record.id)), expected: '', json: JSON.stringify(limits) },
      { field: keyField(record.id), expected: '', json: JSON.stringify(record) },
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
    return value === null ? null : (JSON.parse(jsonOf(value)) as Limits);
  }

  async #change(id: string, change: (record: KeyRecord) => KeyRecord): Promise<KeyRecord> {
    const json = await this.#replace(keyField(id), (before) => {
      if (before === null) throw noKey(id);
      return JSON.stringify(change(JSON.parse(before) as KeyRecord));
    });
    return JSON.parse(json) as KeyRecord;
  }

  /** Again where another has changed it meanwhile. */
  async #replace(field: string, replace: (before: string | null) => string): Promise<string> {
    for (let attempt = 0; attempt < MAX_CONFLICTS; attempt += 1) {
      const before = await this.#get(field);
      const json = replace(before === null ? null : jsonOf(before));
      if (await this.#put([{ field, expected: before ?? '', json }])) return json;
    }
    throw new SluiceError('store_unavailable', 'Too many changes at once.', { retryAfterSeconds: 1 });
  }

  async #get(field: string): Promise<string | null> {
    const key = this.#redis.keys.directory('values');
    const value = await this.#redis.commands.send(key, ['HGET', key, field]);
    return value === null ? null : String(value);
  }

  async #put(changes: readonly Change[]): Promise<boolean> {
    const args = changes.flatMap(({ field, expected, json }) => [field, expected, json]);
    return (await this.#run(scripts.put, this.#redis.keys.directoryBell, ...args)) === 1;
  }

  /** {field, revision, value}, oldest first; null where Redis has lost what was read before. */
  async #since(revision: number): Promise<[string, number, string][] | null> {
    const isNext = this.#newest?.revision === revision;
    const found = await this.#run(scripts.since, revision, PAGE, isNext ? this.#newest!.field : '');
    if (found === -1) return null;
    return (found as [Buffer, Buffer, Buffer][]).map(([field, at, value]) => [
      String(field),
      Number(at),
      String(value),
    ]);
  }

  async #restore(): Promise<void> {
    await this.#run(scripts.restore, this.#redis.keys.directoryBell, ...[...this.#values].flat());
    this.#newest = null;
  }

  #run(script: Script, ...args: (string | number)[]): Promise<Reply> {
    return this.#redis.commands.run(script, this.#keys, args);
  }

  get #keys(): string[] {
    const { keys } = this.#redis;
    return [keys.directory('revision'), keys.directory('changes'), keys.directory('values')];
  }
}

function noKey(id: string, state = ''): SluiceError {
  return new SluiceError('not_found', `There is no key ${JSON.stringify(id)}${state}.`, { param: 'id' });
}

/** Without its version. */
function jsonOf(value: string): string {
  return value.slice(value.indexOf(' ') + 1);
}

import type { Argument } from './client.js';
import { away } from './connection.js';
import type { RedisLink } from './link.js';
import { script } from './script.js';

/**
 * Lua that appends to a log; state and log are of one slot. Versions count from 1 without gaps, so that who follows knows
 * whether anything was cut off before it was read; the epoch tells whether Redis has begun anew.
 */
export const APPEND = `
local function append(state, log, length, value)
  local time = redis.call('TIME')
  redis.call('HSETNX', state, 'epoch', time[1] .. '.' .. time[2])
  local version = redis.call('HINCRBY', state, 'version', 1)
  local atMs = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('XADD', log, 'MAXLEN', '~', length, version .. '-0', 'value', value, 'atMs', atMs)
  redis.call('PUBLISH', log, '1')
  return version
end`;

/** KEYS: state, log. ARGV: length, value. */
const append = script(`${APPEND}
return append(KEYS[1], KEYS[2], ARGV[1], ARGV[2])`);

/** KEYS: state, log. ARGV: version after which to read, how many. Returns {epoch, version, ms, entries}. */
const read = script(`
local time = redis.call('TIME')
local known = redis.call('HMGET', KEYS[1], 'epoch', 'version')
local entries = redis.call('XRANGE', KEYS[2], (ARGV[1] + 1) .. '-0', '+', 'COUNT', ARGV[2])
return {known[1] or '', tonumber(known[2] or 0), time[1] * 1000 + math.floor(time[2] / 1000), entries}`);

/** The bell may be missed; so late a change is found all the same. */
const LOOK_INTERVAL_MS = 500;
const READ_COUNT = 256;

/** Entries that a log keeps, about: who has missed more begins anew. */
export const LOG_LENGTH = 4_096;

export interface LogEntry {
  value: Buffer;
  ageMs: number; // by Redis's clock
}

export interface LogHandler {
  /** What was changed so far can't be read from the log: it is to be read from what the log is about. Also at the beginning. */
  lost(): Promise<void>;
  changed(entries: readonly LogEntry[]): Promise<void>;
}

/**
 * A log in Redis that gateways follow, each in its own time: who was away catches up, and who was away for too long is told.
 * An entry is passed at least once, in order.
 */
export class SharedLog {
  readonly state: string;
  readonly log: string;
  readonly #redis: RedisLink;
  readonly #handler: LogHandler;
  #timer: NodeJS.Timeout | undefined;
  #epoch: string | null = null;
  #last = 0; // version
  #isReading = false;
  #isRungMeanwhile = false;
  #isClosed = false;

  /** `name` is the hash tag of all its keys. */
  constructor(name: string, redis: RedisLink, handler: LogHandler) {
    this.state = redis.keys.shared(name, 'state');
    this.log = redis.keys.shared(name, 'log');
    this.#redis = redis;
    this.#handler = handler;
  }

  /** Resolves when all that was there is read; where Redis is away, it is read later. */
  async follow(): Promise<void> {
    this.#timer = setInterval(() => void this.#look(), LOOK_INTERVAL_MS).unref();
    await this.#redis.subscriber.subscribe(this.log, () => void this.#look()).catch(() => undefined);
    await this.#look();
  }

  async append(value: Argument): Promise<void> {
    if (!this.#redis.commands.isUp) throw away();
    await this.#redis.commands.run(append, [this.state, this.log], [LOG_LENGTH, value]);
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    this.#isRungMeanwhile = true;
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      while (this.#isRungMeanwhile && !this.#isClosed) {
        this.#isRungMeanwhile = false;
        while (await this.#readSome());
      }
    } catch {
      // Redis is away; the next look may succeed.
    } finally {
      this.#isReading = false;
    }
  }

  /** False where there is nothing more. */
  async #readSome(): Promise<boolean> {
    const reply = await this.#redis.commands.run(read, [this.state, this.log], [this.#last, READ_COUNT]);
    const [epoch, version, nowMs, entries] = reply as [Buffer, number, number, [Buffer, Buffer[]][]];
    if (this.#isClosed) return false;
    const first = entries[0] && versionOf(entries[0]);
    const isCut = version < this.#last || (version > this.#last && first !== this.#last + 1);
    const isOther = epoch.toString() !== this.#epoch && !(this.#epoch === '' && this.#last === 0);
    if (isCut || isOther) {
      await this.#handler.lost();
      this.#last = version;
    } else if (entries.length > 0) {
      await this.#handler.changed(entries.map(([, fields]) => entryOf(fields, nowMs)));
      this.#last = versionOf(entries.at(-1)!);
    }
    this.#epoch = epoch.toString();
    return this.#last < version;
  }
}

function versionOf([id]: [Buffer, Buffer[]]): number {
  return Number.parseInt(id.toString(), 10);
}

function entryOf([, value, , atMs]: readonly Buffer[], nowMs: number): LogEntry {
  return { value: value!, ageMs: Math.max(0, nowMs - Number(atMs)) };
}

import type { BackgroundBoard, BackgroundOutcome, BackgroundRequest } from '../../api/background-board.js';
import { type ErrorCode, SluiceError } from '../../errors.js';
import type { Reply } from '../../redis/client.js';
import type { RedisLink } from '../../redis/link.js';
import { orAway } from '../../redis/or-away.js';
import { pack, unpack } from '../../redis/packing.js';

interface Posted {
  id: string;
  createdMs: number;
  gateway: string;
  endedMs: number | null;
  result: object | null;
  failure: { code: ErrorCode; message: string; param: string | null } | null;
}

interface Removal {
  owner: string;
  id: string;
}

/** In Redis, each under a key that expires. */
export class RedisBoard implements BackgroundBoard {
  onRemoved: ((owner: string, id: string) => void) | null = null;
  readonly #redis: RedisLink;
  readonly #gateway: string;
  readonly #retentionMs: number;
  readonly #longestMs: number;

  /** `longestMs`: that a request may take. */
  constructor(redis: RedisLink, gateway: string, times: { retentionMs: number; longestMs: number }) {
    this.#redis = redis;
    this.#gateway = gateway;
    this.#retentionMs = times.retentionMs;
    this.#longestMs = times.longestMs;
  }

  async open(): Promise<void> {
    await this.#redis.subscriber.subscribe(this.#redis.keys.removals, (message) => {
      const { owner, id } = unpack<Removal>(message);
      this.onRemoved?.(owner, id);
    });
  }

  async post(owner: string, { id, createdMs, ended }: BackgroundRequest): Promise<void> {
    const posted: Posted = {
      id,
      createdMs,
      gateway: this.#gateway,
      endedMs: ended?.atMs ?? null,
      ...(ended ? written(ended.outcome) : { result: null, failure: null }),
    };
    const key = this.#redis.keys.background(owner, id);
    const keepMs = Math.ceil(ended ? this.#retentionMs : this.#longestMs + this.#retentionMs);
    // One that was removed meanwhile stays so.
    const only = ended ? ['XX'] : [];
    await this.#send(key, ['SET', key, pack(posted), ...only, 'PX', String(keepMs)]);
  }

  async find(owner: string, id: string): Promise<BackgroundRequest | null> {
    const key = this.#redis.keys.background(owner, id);
    const packed = (await this.#send(key, ['GET', key])) as Buffer | null;
    if (packed === null) return null;
    const { createdMs, gateway, endedMs, result, failure } = unpack<Posted>(packed);
    if (endedMs !== null) return { id, createdMs, ended: { atMs: endedMs, outcome: read(result, failure) } };
    const results = this.#redis.keys.results(gateway);
    if ((await this.#send(results, ['EXISTS', results])) === 1) return { id, createdMs, ended: null };
    return { id, createdMs, ended: { atMs: Date.now(), outcome: { error: gatewayLost() } } };
  }

  async remove(owner: string, id: string): Promise<boolean> {
    const { keys } = this.#redis;
    const key = keys.background(owner, id);
    const wasThere = (await this.#send(key, ['DEL', key])) === 1;
    const removal: Removal = { owner, id };
    if (wasThere) await this.#send(keys.removals, ['PUBLISH', keys.removals, pack(removal)]);
    return wasThere;
  }

  #send(key: string, args: (string | Buffer)[]): Promise<Reply> {
    return orAway(this.#redis.commands.send(key, args));
  }
}

function written(outcome: BackgroundOutcome): Pick<Posted, 'result' | 'failure'> {
  if ('result' in outcome) return { result: outcome.result, failure: null };
  const { code, message, param } = outcome.error;
  return { result: null, failure: { code, message, param } };
}

function read(result: Posted['result'], failure: Posted['failure']): BackgroundOutcome {
  if (failure) return { error: new SluiceError(failure.code, failure.message, { param: failure.param }) };
  return { result: result ?? {} };
}

function gatewayLost(): SluiceError {
  return new SluiceError('engine_failed', 'The gateway that was at this request has gone.');
}

import type { RedisLink } from '../../redis/link.js';
import type { QueuedWork } from './work-queue.js';

export interface DeadLetter {
  id: string;
  request: string;
  attempts: number;
  reason: string;
  atMs: number; // epoch, by Redis's clock
  body: Buffer; // packed Work
}

const MAX_LETTERS = 1_000;
const SHOWN = 100;
const ENTRY_ID = /^\d+-\d+$/; // of a stream

/** Requests of one model that no worker could finish, with the reason; kept for some hours. */
export class DeadLetters {
  readonly #redis: RedisLink;
  readonly #key: string;
  readonly #keepMs: number;

  constructor(model: string, redis: RedisLink, keepMs: number) {
    this.#redis = redis;
    this.#key = redis.keys.dead(model);
    this.#keepMs = keepMs;
  }

  async bury({ request, attempt, body }: QueuedWork, reason: string): Promise<void> {
    const fields = ['request', request, 'attempts', String(attempt), 'reason', reason, 'body', body];
    await this.#send(['XADD', this.#key, 'MAXLEN', '~', String(MAX_LETTERS), '*', ...fields]);
    await this.#send(['PEXPIRE', this.#key, String(this.#keepMs)]);
  }

  /** The latest, newest first. */
  async list(): Promise<DeadLetter[]> {
    const entries = await this.#send(['XREVRANGE', this.#key, '+', '-', 'COUNT', String(SHOWN)]);
    return (entries as [Buffer, Buffer[]][]).map(letterOf);
  }

  async get(id: string): Promise<DeadLetter | null> {
    if (!ENTRY_ID.test(id)) return null;
    const entries = (await this.#send(['XRANGE', this.#key, id, id])) as [Buffer, Buffer[]][];
    return entries[0] ? letterOf(entries[0]) : null;
  }

  /** False where there was none of that id. */
  async drop(id: string): Promise<boolean> {
    return ENTRY_ID.test(id) && (await this.#send(['XDEL', this.#key, id])) === 1;
  }

  #send(args: (string | Buffer)[]) {
    return this.#redis.commands.send(this.#key, args);
  }
}

function letterOf([id, fields]: [Buffer, Buffer[]]): DeadLetter {
  const [, request, , attempts, , reason, , body] = fields;
  return {
    id: id.toString(),
    request: request!.toString(),
    attempts: Number(attempts),
    reason: reason!.toString(),
    atMs: Number(id.toString().split('-')[0]),
    body: body!,
  };
}

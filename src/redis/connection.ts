import { SluiceError } from '../errors.js';
import type { Argument, RawClient, Reply } from './client.js';
import { type Script, scriptArguments } from './script.js';

/**
 * A client that is watched: where no answer comes for `silenceMs`, as from a server that hangs or over a connection that is
 * cut one way, it is given up and another connects. Commands fail at once while there is none; callers try again.
 */
export class Connection {
  /** The longest that a command may block: its connection would be taken for dead. */
  readonly maxBlockMs: number;
  readonly #open: () => RawClient;
  readonly #silenceMs: number;
  readonly #subscriptions = new Map<string, (message: Buffer) => void>();
  #timer: NodeJS.Timeout | undefined;
  #client: RawClient | null = null;
  #heardMs = Number.NEGATIVE_INFINITY; // monotonic
  #upSinceMs = Number.POSITIVE_INFINITY;
  #watchedMs = 0; // monotonic
  #isPinging = false;
  #isClosed = false;

  constructor(open: () => RawClient, silenceMs: number) {
    this.#open = open;
    this.#silenceMs = silenceMs;
    this.maxBlockMs = Math.ceil(silenceMs / 4);
  }

  get isUp(): boolean {
    return this.upForMs > 0;
  }

  /** For how long it has answered without a break; 0 while it doesn't. */
  get upForMs(): number {
    const nowMs = performance.now();
    return nowMs - this.#heardMs > this.#silenceMs ? 0 : Math.max(0, nowMs - this.#upSinceMs);
  }

  /** The first connection. Rejects with store_unavailable where there is none within the time; from then on it is watched. */
  async open(patienceMs: number): Promise<void> {
    const giveUp = setTimeout(() => this.#client?.destroy(), patienceMs);
    try {
      await this.#connect();
    } catch (error) {
      throw away(this.#client?.fault() ?? error);
    } finally {
      clearTimeout(giveUp);
    }
    this.#watchedMs = performance.now();
    this.#timer = setInterval(() => void this.#watch(), this.#silenceMs / 4).unref();
  }

  async #connect(): Promise<void> {
    const client = this.#open();
    this.#client = client;
    this.#heardMs = performance.now(); // from now on it is silent
    this.#upSinceMs = Number.POSITIVE_INFINITY;
    await client.connect();
    for (const [channel, listener] of this.#subscriptions) await client.subscribe(channel, listener);
    await this.send('', ['PING']);
  }

  async send(key: string, args: readonly Argument[]): Promise<Reply> {
    if (this.#client === null) throw away();
    const reply = await this.#client.send(key, args);
    this.#heard();
    return reply;
  }

  /** Runs a script by its digest, and in full where the server doesn't know it (any more). All keys are of one slot. */
  async run(script: Script, keys: readonly string[], args: readonly (Argument | number)[]): Promise<Reply> {
    const rest = scriptArguments(keys, args);
    try {
      return await this.send(keys[0]!, ['EVALSHA', script.digest, ...rest]);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return await this.send(keys[0]!, ['EVAL', script.source, ...rest]);
    }
  }

  async subscribe(channel: string, listener: (message: Buffer) => void): Promise<void> {
    this.#subscriptions.set(channel, listener);
    await this.#client?.subscribe(channel, listener);
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#client?.destroy();
    this.#client = null;
    this.#heardMs = Number.NEGATIVE_INFINITY;
  }

  #heard(): void {
    const nowMs = performance.now();
    if (nowMs - this.#heardMs > this.#silenceMs || this.#upSinceMs === Number.POSITIVE_INFINITY)
      this.#upSinceMs = nowMs;
    this.#heardMs = nowMs;
  }

  async #watch(): Promise<void> {
    const nowMs = performance.now();
    // Who was held up hasn't read yet what was said meanwhile.
    const wasAsleep = nowMs - this.#watchedMs > this.#silenceMs / 2;
    this.#watchedMs = nowMs;
    if (!wasAsleep && nowMs - this.#heardMs > this.#silenceMs) return await this.#replace();
    if (this.#isPinging) return;
    this.#isPinging = true;
    await this.send('', ['PING']).catch(() => undefined);
    this.#isPinging = false;
  }

  async #replace(): Promise<void> {
    this.#client?.destroy();
    this.#isPinging = false;
    if (!this.#isClosed) await this.#connect().catch(() => undefined);
  }
}

export function away(cause?: unknown): SluiceError {
  const why = cause instanceof Error ? ` (${cause.message})` : '';
  return new SluiceError('store_unavailable', `Redis can not be reached${why}.`, { retryAfterSeconds: 2 });
}

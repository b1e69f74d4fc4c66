import type { HttpResponse } from './uws.js';

export interface EventStreamLimits {
  maxStreamBufferBytes: number;
  pingIntervalMs: number;
}

/**
 * Server-sent events over one response. While the socket is full, events are collected here and leave in one piece when it
 * drains; uWS then holds at most one such piece. Past the limit the reader counts as slow and the stream ends.
 */
export class EventStream {
  readonly #response: HttpResponse;
  readonly #maxBufferBytes: number;
  readonly #onSlowReader: () => void;
  readonly #ping: NodeJS.Timeout;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #blocked = false;
  #closed = false;
  #quiet = true; // nothing was sent since the last ping was due

  constructor(response: HttpResponse, limits: EventStreamLimits, onSlowReader: () => void) {
    this.#response = response;
    this.#maxBufferBytes = limits.maxStreamBufferBytes;
    this.#onSlowReader = onSlowReader;
    this.#ping = setInterval(() => this.#keepAlive(), limits.pingIntervalMs);
    response.onWritable(() => {
      this.#flush();
      return !this.#blocked;
    });
  }

  send(data: string): void {
    this.#write(`data: ${data}\n\n`);
  }

  /** A line that clients ignore and people who debug read. */
  comment(text: string): void {
    this.#write(`: ${text}\n\n`);
  }

  end(): void {
    if (this.#closed) return;
    this.discard();
    this.#response.cork(() => {
      if (this.#waiting.length > 0) this.#response.write(this.#waiting.join(''));
      this.#response.end();
    });
  }

  /** The response is gone: nothing more is written. */
  discard(): void {
    this.#closed = true;
    clearInterval(this.#ping);
  }

  #write(text: string): void {
    if (this.#closed) return;
    this.#quiet = false;
    if (!this.#blocked) {
      this.#put(text);
      return;
    }
    this.#waiting.push(text);
    this.#waitingBytes += Buffer.byteLength(text);
    if (this.#waitingBytes <= this.#maxBufferBytes) return;
    this.#waiting = [];
    this.discard();
    this.#onSlowReader();
  }

  #flush(): void {
    this.#blocked = false;
    if (this.#waiting.length === 0) return;
    const text = this.#waiting.join('');
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#put(text);
  }

  #put(text: string): void {
    this.#response.cork(() => {
      this.#blocked = !this.#response.write(text);
    });
  }

  /** A comment with text: readers that take an empty one for an event's end are known. */
  #keepAlive(): void {
    if (this.#quiet) this.comment('ping');
    this.#quiet = true;
  }
}

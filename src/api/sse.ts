import type { HttpResponse } from './uws.js';

export interface EventStreamLimits {
  maxStreamBufferBytes: number;
  pingIntervalMs: number;
}

/**
 * Server-sent events over one response. Events of one turn leave in one piece at its end: to send is dearer than all else that
 * happens to an event. While the socket is full, they are collected until it drains; uWS then holds at most one such piece. Past
 * the limit the reader counts as slow and the stream ends.
 */
export class EventStream {
  readonly #response: HttpResponse;
  readonly #maxBufferBytes: number;
  readonly #onSlowReader: () => void;
  readonly #ping: NodeJS.Timeout;
  #writeHead: (() => void) | null; // until it is written
  #waiting: string[] = [];
  #blockedBytes = 0; // of what waits for the socket to drain
  #blocked = false;
  #isFlushDue = false;
  #closed = false;
  #quiet = true; // nothing was sent since the last ping was due

  /** `writeHead` is called in time for the first event, or at the end of this turn. */
  constructor(
    response: HttpResponse,
    limits: EventStreamLimits,
    { writeHead, onSlowReader }: { writeHead: () => void; onSlowReader: () => void },
  ) {
    this.#response = response;
    this.#maxBufferBytes = limits.maxStreamBufferBytes;
    this.#writeHead = writeHead;
    this.#onSlowReader = onSlowReader;
    this.#ping = setInterval(() => this.#keepAlive(), limits.pingIntervalMs);
    response.onWritable(() => {
      this.#blocked = false;
      this.#flush();
      return !this.#blocked;
    });
    this.#flushSoon();
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
      this.#put();
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
    this.#waiting.push(text);
    if (!this.#blocked) {
      this.#flushSoon();
      return;
    }
    this.#blockedBytes += Buffer.byteLength(text);
    if (this.#blockedBytes <= this.#maxBufferBytes) return;
    this.#waiting = [];
    this.discard();
    this.#onSlowReader();
  }

  #flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    queueMicrotask(() => {
      this.#isFlushDue = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#closed || this.#blocked) return;
    this.#response.cork(() => this.#put());
  }

  #put(): void {
    this.#writeHead?.();
    this.#writeHead = null;
    if (this.#waiting.length === 0) return;
    const text = this.#waiting.join('');
    this.#waiting = [];
    this.#blockedBytes = 0;
    this.#blocked = !this.#response.write(text);
  }

  /** A comment with text: readers that take an empty one for an event's end are known. */
  #keepAlive(): void {
    if (this.#quiet) this.comment('ping');
    this.#quiet = true;
  }
}

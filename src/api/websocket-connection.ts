import type { Caller } from '../auth/index.js';
import { SluiceError, toSluiceError } from '../errors.js';
import { wireCache } from './cached.js';
import { type ApiContext, refuseDraining } from './context.js';
import type { RequestHead } from './exchange.js';
import { routeField, wireUsage } from './format.js';
import { chatGeneration, completionGeneration, type Generation, logged, tracked } from './generation.js';
import { parse } from './json.js';
import { chatRequest } from './schemas/chat.js';
import { completionRequest } from './schemas/completions.js';
import { SocketAnswer } from './websocket-answer.js';
import {
  type ClientMessage,
  clientMessage,
  type GenerateMessage,
  type MessageCodec,
} from './websocket-protocol.js';

/** The part of uWS's socket that a connection needs. */
export interface Socket {
  send(message: string | Uint8Array, isBinary: boolean): number;
  cork(callback: () => void): unknown;
  getBufferedAmount(): number;
  end(code: number, reason: string): void;
}

const GOING_AWAY = 1001; // RFC 6455, 7.4.1
const POLICY_VIOLATION = 1008;
const MESSAGE_TOO_BIG = 1009;

/** How long a socket may stay without a key, and what it may send while its key is looked up. */
const AUTHENTICATION_TIMEOUT_MS = 10_000;
const MAX_HELD_MESSAGES = 32;

export interface SocketOptions {
  caller: Caller | null; // null: its first message has to bring a key
  codec: MessageCodec;
  headers: RequestHead['headers']; // of the request that opened it
}

/**
 * One client and its generations. Each `generate` that it sends ends with exactly one `done` or `error` of its id, unless the
 * socket closes first, which cancels all.
 */
export class WebSocketConnection {
  readonly #api: ApiContext;
  readonly #socket: Socket;
  #caller: Caller | null;
  readonly #authenticationTimer: NodeJS.Timeout | null = null;
  #held: ClientMessage[] | null = null; // while a key is looked up
  readonly #codec: MessageCodec;
  readonly #headers: RequestHead['headers'];
  readonly #inFlight = new Map<string, AbortController>();
  #outbox: object[] = [];
  #open = true;

  constructor(api: ApiContext, socket: Socket, { caller, codec, headers }: SocketOptions) {
    this.#api = api;
    this.#socket = socket;
    this.#caller = caller;
    this.#codec = codec;
    this.#headers = headers;
    if (caller) return;
    const expire = () => this.#close(POLICY_VIOLATION, 'no_key');
    this.#authenticationTimer = setTimeout(expire, AUTHENTICATION_TIMEOUT_MS).unref();
  }

  receive(frame: ArrayBuffer, isBinary: boolean): void {
    const { maxMessageBytes } = this.#api.config.websocket;
    if (frame.byteLength > maxMessageBytes) {
      const message = `The message is larger than ${maxMessageBytes} bytes.`;
      this.#sendError(null, new SluiceError('body_too_large', message));
      this.#close(MESSAGE_TOO_BIG, 'body_too_large');
      return;
    }
    let id: string | null = null;
    try {
      const decoded = this.#codec.decode(frame, isBinary);
      id = idOf(decoded);
      const message = parse(clientMessage, decoded);
      if (this.#held) this.#hold(this.#held, message);
      else this.#handle(message);
    } catch (thrown) {
      this.#sendError(id, thrown);
    }
  }

  /** The socket is gone. */
  closed(): void {
    this.#open = false;
    this.#outbox = [];
    this.#held = null;
    this.#stopTimer();
    for (const abort of this.#inFlight.values()) abort.abort();
  }

  closeIfIdle(): void {
    if (this.#open && this.#inFlight.size === 0) this.#close(GOING_AWAY, 'shutting_down');
  }

  /** All that runs ends with this error, and the socket is closed. */
  cutOff(error: SluiceError): void {
    for (const id of this.#inFlight.keys()) this.#sendError(id, error);
    this.#close(GOING_AWAY, 'shutting_down');
  }

  #handle(message: ClientMessage): void {
    if (message.type === 'auth') this.#authenticate(message.key);
    else if (message.type === 'cancel') this.#inFlight.get(message.id)?.abort();
    else this.#generate(message);
  }

  #authenticate(key: string): void {
    const enter = (caller: Caller) => {
      this.#caller = caller;
      this.#stopTimer();
      this.#send({ type: 'ready', id: null });
    };
    const refuse = (error: unknown) => {
      this.#sendError(null, error);
      this.#close(POLICY_VIOLATION, 'wrong_key');
    };
    try {
      const caller = this.#api.access.authenticateKey(key);
      if (caller instanceof Promise) {
        this.#held = [];
        void caller.then(enter, refuse).then(() => this.#release());
      } else {
        enter(caller);
      }
    } catch (error) {
      refuse(error);
    }
  }

  #hold(held: ClientMessage[], message: ClientMessage): void {
    if (held.length < MAX_HELD_MESSAGES) held.push(message);
    else this.#close(POLICY_VIOLATION, 'too_many_messages');
  }

  #release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const message of held) {
      try {
        this.#handle(message);
      } catch (thrown) {
        this.#sendError(idOf(message), thrown);
      }
    }
  }

  #stopTimer(): void {
    if (this.#authenticationTimer) clearTimeout(this.#authenticationTimer);
  }

  /** Asked for with every request: a socket may outlive its key. */
  #currentCaller(): Caller {
    if (!this.#caller) {
      const hint = 'Send {"type":"auth","key":…} first, or connect with an Authorization header.';
      throw new SluiceError('invalid_api_key', hint);
    }
    this.#caller = this.#api.access.current(this.#caller);
    return this.#caller;
  }

  #generate({ id, request: wire, cache_control }: GenerateMessage): void {
    refuseDraining(this.#api);
    const sender = { caller: this.#currentCaller(), cacheControl: cache_control };
    if (this.#inFlight.has(id)) {
      throw new SluiceError('duplicate_id', `A generation with the id ${JSON.stringify(id)} is running.`, {
        param: 'id',
      });
    }
    const { maxInFlight } = this.#api.config.websocket;
    if (this.#inFlight.size >= maxInFlight) {
      throw new SluiceError('queue_full', `At most ${maxInFlight} generations may run on one socket.`, {
        retryAfterSeconds: 1,
      });
    }
    const streamed = { ...wire, stream: true };
    const generation =
      'messages' in wire
        ? chatGeneration(this.#api, sender, parse(chatRequest, streamed))
        : completionGeneration(this.#api, sender, parse(completionRequest, streamed));
    const abort = new AbortController();
    this.#inFlight.set(id, abort);
    void this.#run(id, generation, abort.signal);
  }

  async #run(id: string, generation: Generation, signal: AbortSignal): Promise<void> {
    const answer = new SocketAnswer(id, generation);
    const startedAt = performance.now();
    const trace = this.#api.tracing.start('generate', this.#headers);
    const log = (outcome: object) => {
      const durationMs = Math.round((performance.now() - startedAt) * 10) / 10;
      const { id: requestId, caller } = generation.request;
      const who = caller.keyId === null ? {} : { key: caller.keyId, tenant: caller.tenant };
      const traced = trace.id === null ? {} : { trace: trace.id };
      this.#api.log.info({ requestId, durationMs, ...who, ...traced, ...outcome }, 'websocket');
    };
    try {
      const usage = await tracked(
        this.#api,
        generation.request,
        (event) => this.#sendAll(answer.tokens(event)),
        signal,
        trace,
      );
      trace.end();
      this.#inFlight.delete(id);
      this.#send({
        ...answer.done(),
        usage: wireUsage(usage),
        ...routeField(usage),
        ...wireCache(usage.cache),
      });
      log(logged(usage));
    } catch (thrown) {
      trace.end(toSluiceError(thrown).code);
      this.#inFlight.delete(id);
      log({ error: toSluiceError(thrown).code });
      this.#sendError(id, thrown);
    }
    if (this.#api.draining) this.closeIfIdle();
  }

  #sendError(id: string | null, thrown: unknown): void {
    const error = toSluiceError(thrown);
    if (error.code === 'internal_error')
      this.#api.log.error({ err: error.cause }, 'WebSocket request failed');
    this.#send({ type: 'error', id, ...error.toEvent() });
  }

  #sendAll(messages: readonly object[]): void {
    for (const message of messages) this.#send(message);
  }

  /** What one engine step brings for several generations leaves together. */
  #send(message: object): void {
    if (!this.#open) return;
    if (this.#outbox.length === 0) queueMicrotask(() => this.#flush());
    this.#outbox.push(message);
  }

  #flush(): void {
    if (!this.#open) return;
    const messages = this.#outbox;
    this.#outbox = [];
    this.#socket.cork(() => {
      for (const message of messages) {
        const frame = this.#codec.encode(message);
        this.#socket.send(frame, this.#codec.binary);
      }
    });
    if (this.#socket.getBufferedAmount() <= this.#api.config.websocket.maxBufferBytes) return;
    this.#api.metrics.slowReaders.labels('websocket').inc();
    this.#close(POLICY_VIOLATION, 'slow_reader');
  }

  #close(code: number, reason: string): void {
    if (this.#outbox.length > 0) this.#flush();
    if (this.#open) this.#socket.end(code, reason); // calls closed()
  }
}

function idOf(message: unknown): string | null {
  const id = (message as { id?: unknown } | null)?.id;
  return typeof id === 'string' && id.length <= 128 ? id : null;
}

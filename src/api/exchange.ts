import { anonymousCaller, type Caller } from '../auth/index.js';
import { SluiceError, toSluiceError } from '../errors.js';
import { type RootTrace, untraced } from '../telemetry/trace.js';
import { type BodyLimits, receiveBody } from './body.js';
import { EventStream, type EventStreamLimits } from './sse.js';
import type { HttpRequest, HttpResponse } from './uws.js';

export type Headers = Readonly<Record<string, string>>;

const nobody = anonymousCaller(false);

/** What a request says of itself; copied at once, since uWS's own object dies with the callback. */
export interface RequestHead {
  method: string; // upper case
  path: string;
  query: string; // without its "?"
  headers: ReadonlyMap<string, string>; // lower-case names
}

export function readHead(
  request: HttpRequest,
  maxHeaderBytes: number,
): { head: RequestHead; fault: SluiceError | null } {
  const headers = new Map<string, string>();
  let fault: SluiceError | null = null;
  const path = request.getUrl();
  let bytes = path.length + (request.getQuery()?.length ?? 0);
  request.forEach((name, value) => {
    bytes += name.length + value.length + ': \r\n'.length;
    // Two lengths, or a length beside chunks, let two servers in a row see different requests (RFC 9112, 6.3).
    if (name === 'content-length' && headers.has(name)) fault = framingFault('more than one Content-Length');
    headers.set(name, value);
  });
  if (headers.has('content-length') && headers.has('transfer-encoding')) {
    fault = framingFault('both Content-Length and Transfer-Encoding');
  }
  if (bytes > maxHeaderBytes)
    fault = new SluiceError(
      'headers_too_large',
      `The request's head is larger than ${maxHeaderBytes} bytes.`,
    );
  const query = request.getQuery() ?? '';
  return { head: { method: request.getCaseSensitiveMethod(), path, query, headers }, fault };
}

function framingFault(what: string): SluiceError {
  return new SluiceError('invalid_request', `The request has ${what}.`);
}

/**
 * Controllers for work to come. To make a signal takes 3 µs (Node 20 gives each another prototype, and so V8 a hidden class of its
 * own, which lives on): a tenth of a cached answer.
 */
const spareControllers: AbortController[] = [];

/**
 * One request and its answer. An answer is sent once: by json(), text(), empty() or fail(), or as a stream. After the
 * client is gone all of these do nothing.
 */
export class Exchange {
  readonly head: RequestHead;
  readonly requestId: string;
  readonly startedAt = performance.now();
  /** Fields for the access log. */
  readonly notes: Record<string, unknown> = {};
  status = 0;
  /** Whose request it is, from the moment it is known. */
  caller: Caller = nobody;
  trace: RootTrace = untraced;

  readonly #response: HttpResponse;
  readonly #headers: Headers;
  #work: AbortController | null = null; // what is to be given up when the client leaves
  readonly #onEnd: (exchange: Exchange) => void;
  #stream: EventStream | null = null;
  #ended = false;
  #body: Promise<Buffer> | null = null;
  #abortBody: (() => void) | null = null;

  /** `headers` go with every answer. `onEnd` is called once, when the answer is complete or the client is gone. */
  constructor(
    response: HttpResponse,
    head: RequestHead,
    options: { requestId: string; headers: Headers; onEnd: (exchange: Exchange) => void },
  ) {
    this.#response = response;
    this.head = head;
    this.requestId = options.requestId;
    this.#headers = { 'x-request-id': options.requestId, ...options.headers };
    this.#onEnd = options.onEnd;
    response.onAborted(() => this.#aborted());
  }

  get ended(): boolean {
    return this.#ended;
  }

  get streaming(): boolean {
    return this.#stream !== null;
  }

  /** Does work whose signal is aborted when the client leaves. The signal is that work's until it settles, and then another's. */
  async whileConnected<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = spareControllers.pop() ?? new AbortController();
    this.#work = controller;
    if (this.#ended) controller.abort();
    try {
      return await work(controller.signal);
    } finally {
      this.#work = null;
      if (!controller.signal.aborted) spareControllers.push(controller);
    }
  }

  header(name: string): string | undefined {
    return this.head.headers.get(name);
  }

  json(status: number, body: unknown, headers: Headers = {}): void {
    this.jsonText(status, JSON.stringify(body), headers);
  }

  /** A body that is JSON already. */
  jsonText(status: number, body: string, headers: Headers = {}): void {
    this.#send(status, body, { 'content-type': 'application/json; charset=utf-8', ...headers });
  }

  text(status: number, body: string, contentType: string): void {
    this.#send(status, body, { 'content-type': contentType });
  }

  empty(status: number, headers: Headers = {}): void {
    this.#send(status, '', headers);
  }

  /** Tells the client what went wrong: as the answer, or inside the stream where that has begun. */
  fail(thrown: unknown, options: { closeConnection?: boolean; headers?: Headers } = {}): SluiceError {
    const error = toSluiceError(thrown);
    this.notes.error = error.code;
    if (this.#stream) {
      this.#stream.send(JSON.stringify(error.toEvent()));
      this.endStream();
      return error;
    }
    const retryAfter = error.retryAfterSeconds ?? (error.status === 429 || error.status === 503 ? 1 : null);
    const retry = retryAfter === null ? {} : { 'retry-after': String(Math.ceil(retryAfter)) };
    const body = JSON.stringify(error);
    const type = { 'content-type': 'application/json; charset=utf-8' };
    this.#send(
      error.status,
      body,
      { ...type, ...retry, ...error.headers, ...options.headers },
      options.closeConnection,
    );
    return error;
  }

  /** Fails it, and gives up what it waits for. */
  cutOff(error: SluiceError): void {
    this.fail(error);
    this.#abortBody?.();
    this.#work?.abort();
  }

  /** Opens the stream with the first call. Null where the client is gone. */
  stream(limits: EventStreamLimits, onSlowReader: () => void, headers: Headers = {}): EventStream | null {
    if (this.#ended) return null;
    if (this.#stream) return this.#stream;
    this.status = 200;
    const ownHeaders = {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no', // nginx would otherwise collect the stream
    };
    this.#stream = new EventStream(this.#response, limits, {
      writeHead: () => this.#writeHead(200, { ...ownHeaders, ...headers }),
      onSlowReader: () => {
        this.notes.error = 'slow_reader';
        onSlowReader();
        this.#response.close(); // calls onAborted
      },
    });
    return this.#stream;
  }

  /** The stream's last event, after an answer and after a failure alike. */
  endStream(): void {
    if (this.#ended || !this.#stream) return;
    this.#stream.send('[DONE]');
    this.#stream.end();
    this.#end();
  }

  /** The body; see {@link receiveBody}. The same however often it is asked for. */
  body(limits: BodyLimits): Promise<Buffer> {
    const length = Number(this.header('content-length') ?? 0);
    this.#body ??= receiveBody(this.#response, length, limits, (abort) => {
      this.#abortBody = abort;
    });
    return this.#body;
  }

  #send(status: number, body: string, headers: Headers, closeConnection = false): void {
    if (this.#ended) return;
    this.status = status;
    this.#response.cork(() => {
      this.#writeHead(status, headers);
      if (this.head.method === 'HEAD')
        this.#response.endWithoutBody(Buffer.byteLength(body), closeConnection);
      else if (status === 204) this.#response.endWithoutBody(undefined, closeConnection);
      else this.#response.end(body, closeConnection);
    });
    this.#end();
  }

  #writeHead(status: number, headers: Headers): void {
    this.#response.writeStatus(`${status} ${STATUS_TEXT[status] ?? 'Unknown'}`);
    for (const name in this.#headers) {
      if (!(name in headers)) this.#response.writeHeader(name, this.#headers[name]!);
    }
    for (const name in headers) this.#response.writeHeader(name, headers[name]!);
  }

  #aborted(): void {
    if (this.#ended) return;
    this.status = this.status || 499;
    this.notes.aborted = true;
    this.#stream?.discard();
    this.#end();
    this.#abortBody?.();
    this.#work?.abort();
  }

  #end(): void {
    this.#ended = true;
    this.#onEnd(this);
  }
}

const STATUS_TEXT: Record<number, string> = {
  200: 'OK',
  202: 'Accepted',
  204: 'No Content',
  400: 'Bad Request',
  401: 'Unauthorized',
  402: 'Payment Required',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  421: 'Misdirected Request',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  499: 'Client Closed Request',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

/** A server on a loopback port of its own. `handler` gets each request with its number, from 0. */
export class TestServer implements AsyncDisposable {
  readonly requests: { method: string; path: string; headers: IncomingMessage['headers'] }[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(handler: Handler): Promise<TestServer> {
    const server = createServer((request, response) => {
      const count = self.requests.length;
      self.requests.push({ method: request.method!, path: request.url!, headers: request.headers });
      handler(request, response, count);
    });
    const self = new TestServer(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return self;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The Range headers of the requests so far; null where there was none. */
  get ranges(): (string | null)[] {
    return this.requests.map((request) => request.headers.range ?? null);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export interface FileAnswer {
  body: Buffer;
  etag?: string;
  /** Stop after this many bytes of the body, and close the connection once `cut` says that they have arrived. */
  cutAfter?: number;
  /** Leave the connection open after this many bytes, sending nothing more. */
  holdAfter?: number;
}

/** Answers as a static file server does: Range, If-Range, ETag, Content-Length. */
export function sendFile(request: IncomingMessage, response: ServerResponse, answer: FileAnswer): void {
  const { body, etag } = answer;
  const first = requestedStart(request, answer);
  const headers: Record<string, string | number> = {
    'content-length': body.length - first,
    'accept-ranges': 'bytes',
  };
  if (etag !== undefined) headers.etag = etag;
  if (first > 0) headers['content-range'] = `bytes ${first}-${body.length - 1}/${body.length}`;
  response.writeHead(first > 0 ? 206 : 200, headers);
  if (request.method === 'HEAD') return void response.end();
  const stopAfter = answer.cutAfter ?? answer.holdAfter;
  if (stopAfter === undefined) return void response.end(body.subarray(first));
  response.write(body.subarray(first, first + stopAfter));
  if (answer.cutAfter !== undefined) cuts.set(first + stopAfter, response);
}

const cuts = new Map<number, ServerResponse>();

/**
 * Closes the connection that stopped at this position of the file. Closing it at once would race with its last bytes:
 * whatever a client has buffered when the connection breaks is lost to it.
 */
export function cut(position: number): void {
  cuts.get(position)?.destroy();
  cuts.delete(position);
}

function requestedStart(request: IncomingMessage, { body, etag }: FileAnswer): number {
  const match = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
  const ifRange = request.headers['if-range'];
  if (match === null || (ifRange !== undefined && ifRange !== etag)) return 0;
  return Math.min(Number(match[1]), body.length);
}

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { projectRoot } from '../../src/support/root.js';

export interface UpstreamCall {
  path: string;
  headers: IncomingMessage['headers'];
  body: Record<string, unknown>;
  /** Resolves when the gateway has hung up before the answer's end. */
  aborted: Promise<void>;
}

/** Of "localhost" and 127.0.0.1, signed by itself, for tests only. */
const tlsFile = (name: string) => join(projectRoot(), 'test', 'support', 'tls', name);
export const certificateFile = tlsFile('certificate.pem');

export type Reply = (call: UpstreamCall, response: ServerResponse) => void;

/** A scripted OpenAI-compatible endpoint on loopback. Replies are taken in turn; the last one stays. */
export class StubUpstream implements AsyncDisposable {
  readonly calls: UpstreamCall[] = [];
  replies: Reply[] = [says('Hello')];
  /** Status of GET /models. */
  health = 200;
  readonly #server: Server;
  readonly #scheme: 'http' | 'https';

  private constructor(server: Server, scheme: 'http' | 'https') {
    this.#server = server;
    this.#scheme = scheme;
    server.on('request', (request, response) => void this.#serve(request, response));
  }

  static start(...replies: Reply[]): Promise<StubUpstream> {
    return StubUpstream.#listen(createServer(), 'http', replies);
  }

  static startTls(...replies: Reply[]): Promise<StubUpstream> {
    const identity = { key: readFileSync(tlsFile('key.pem')), cert: readFileSync(certificateFile) };
    return StubUpstream.#listen(createTlsServer(identity), 'https', replies);
  }

  static async #listen(server: Server, scheme: 'http' | 'https', replies: Reply[]): Promise<StubUpstream> {
    server.listen(0, '127.0.0.1').unref(); // a test that fails to start leaves it behind
    await once(server, 'listening');
    const upstream = new StubUpstream(server, scheme);
    if (replies.length > 0) upstream.replies = replies;
    return upstream;
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'GET') {
      response.writeHead(this.health).end('{}');
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const aborted = new Promise<void>((resolve) => {
      response.on('close', () => {
        if (!response.writableEnded) resolve();
      });
    });
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>;
    const call = { path: request.url ?? '', headers: request.headers, body, aborted };
    this.calls.push(call);
    const reply = this.replies.length > 1 ? this.replies.shift()! : this.replies[0]!;
    reply(call, response);
  }
}

/** A good answer, whole or as a stream of one event a word, as asked for. */
export function says(text: string, usage: object | null = { prompt_tokens: 7, completion_tokens: 3 }): Reply {
  return (call, response) => {
    const isChat = call.path.endsWith('/chat/completions');
    if (call.body.stream !== true) {
      const said = isChat ? { message: { role: 'assistant', content: text } } : { text };
      answer(response, 200, { choices: [{ index: 0, ...said, finish_reason: 'stop' }], usage });
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const word of text.split(/(?<= )/)) response.write(event(isChat, word, null));
    response.write(event(isChat, '', 'stop'));
    if (usage) response.write(`data: ${JSON.stringify({ choices: [], usage })}\n\n`);
    response.end('data: [DONE]\n\n');
  };
}

/** Begins a stream and leaves it open. */
export function begins(text: string): Reply {
  return (call, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(event(call.path.endsWith('/chat/completions'), text, null));
  };
}

/** Begins a stream, then loses the connection. */
export function breaksOffAfter(text: string): Reply {
  return (call, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(event(call.path.endsWith('/chat/completions'), text, null), () => response.destroy());
  };
}

export function fails(status: number, headers: Record<string, string> = {}, body: object = {}): Reply {
  return (_call, response) => answer(response, status, body, headers);
}

/** Never answers. */
export const hangs: Reply = () => undefined;

export const hangsUp: Reply = (_call, response) => response.destroy();

function answer(response: ServerResponse, status: number, body: object, headers: object = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

function event(isChat: boolean, text: string, finishReason: string | null): string {
  const said = isChat ? { delta: text === '' ? {} : { content: text } } : { text };
  return `data: ${JSON.stringify({ choices: [{ index: 0, ...said, finish_reason: finishReason }] })}\n\n`;
}

import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { Readable } from 'node:stream';

export interface FetchOptions {
  method?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

/** As much of fetch as downloads need; redirects are the caller's. */
export type Fetch = (url: URL, options: FetchOptions) => Promise<Response>;

/** The agent for an address; undefined: Node's own. */
export type AgentFor = (url: URL) => http.Agent | undefined;

const bodiless = [204, 205, 304];

/**
 * Over Node's HTTP client, since undici, which fetch stands on, ends the whole process where a server closes the
 * connection while the body waits to be read (nodejs/undici#5360).
 */
export function nodeFetch(agentFor: AgentFor): Fetch {
  return (url, { method = 'GET', headers, signal }) =>
    new Promise((resolve, reject) => {
      const { request } = url.protocol === 'https:' ? https : http;
      const outgoing = request(url, { method, headers, signal, agent: agentFor(url) });
      outgoing.on('error', (error) => reject(signal?.aborted ? signal.reason : error));
      outgoing.on('response', (incoming) => {
        try {
          resolve(responseOf(incoming, method));
        } catch (error) {
          outgoing.destroy();
          reject(error); // a status that HTTP doesn't have
        }
      });
      outgoing.end();
    });
}

function responseOf(incoming: IncomingMessage, method: string): Response {
  const status = incoming.statusCode ?? 0;
  const headers = Object.entries(incoming.headersDistinct).flatMap(([name, values]) =>
    (values ?? []).map((value): [string, string] => [name, value]),
  );
  if (method === 'HEAD' || bodiless.includes(status)) {
    incoming.resume();
    return new Response(null, { status, headers });
  }
  return new Response(Readable.toWeb(incoming) as ReadableStream<Uint8Array>, { status, headers });
}

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from '../../telemetry/metrics.js';
import type { WorkerRole } from './role.js';

export interface StatusServer {
  port: number;
  close(): void;
}

/** What an orchestrator asks of a worker: whether it lives, whether it takes work, and its metrics. Nothing of requests. */
export async function startStatusServer(
  { host, port }: { host: string; port: number },
  role: WorkerRole,
  metrics: Metrics,
): Promise<StatusServer> {
  const server = createServer((request, response) => {
    answer(request, response, role, metrics).catch(() => response.writeHead(500).end());
  });
  server.listen(port, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(
  { url }: IncomingMessage,
  response: ServerResponse,
  role: WorkerRole,
  metrics: Metrics,
): Promise<void> {
  const say = (status: number, body: object) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  switch (url) {
    case '/healthz':
      say(role.isAlive ? 200 : 503, { status: role.isAlive ? 'ok' : 'engine not answering' });
      return;
    case '/readyz': {
      const reason = role.unready();
      say(reason === null ? 200 : 503, { status: reason ?? 'ready' });
      return;
    }
    case '/metrics':
      response.writeHead(200, { 'content-type': metrics.registry.contentType }).end(await metrics.render());
      return;
    default:
      say(404, { status: 'there are /healthz, /readyz and /metrics' });
  }
}

import { createGateway, type GatewayParts } from '../gateway/create.js';
import { type Tenancy, withoutTenancy } from '../gateway/tenancy.js';
import { Probes } from '../routing/probes.js';
import type { Router } from '../routing/router.js';
import { noTracing, type Tracing } from '../telemetry/trace.js';
import { createApp } from './app.js';
import { type BackgroundBoard, noBoard } from './background-board.js';
import { BackgroundRequests } from './background-requests.js';
import { ByteBudget } from './byte-budget.js';
import type { ApiContext } from './context.js';
import { createLiveEvaluation } from './live-evaluation.js';
import { routes } from './routes.js';

export interface Server {
  port: number;
  router: Router;
  /**
   * Refuses what is new and waits for what runs, at most `server.drainTimeoutMs`. True where everything ended by itself; the
   * rest is told that it doesn't, and cancelled.
   * Connections stay open meanwhile, so that load balancers can ask /readyz.
   */
  drain(): Promise<boolean>;
  /** Ends every connection. */
  close(): void;
}

export interface ServerParts extends Omit<GatewayParts, 'accounting'> {
  tenancy?: Tenancy;
  tracing?: Tracing;
  /** Shared with other gateways; absent: there are none. */
  board?: BackgroundBoard;
}

/**
 * Loads the further models of the configuration and listens. `router.fleet.close()` ends the models; the tenancy and the
 * embedder stay the caller's to close.
 */
export async function startServer({
  tenancy: given,
  tracing = noTracing,
  board = noBoard,
  ...parts
}: ServerParts): Promise<Server> {
  const { config, metrics, log } = parts;
  const tenancy = given ?? withoutTenancy(config);
  const gateway = await createGateway({ ...parts, accounting: tenancy.accounting });
  const live = await createLiveEvaluation({ config, gateway, office: tenancy.office, metrics, log });
  gateway.observer = live;
  const api: ApiContext = {
    config,
    gateway,
    access: tenancy.access,
    office: tenancy.office,
    live,
    isConnected: () => parts.remote?.isConnected() ?? true,
    metrics,
    tracing,
    log,
    body: { ...config.http, budget: new ByteBudget(config.http.maxReceivingBytes) },
    background: new BackgroundRequests(config.background, Date.now, board),
    draining: false,
    inFlight: new Set(),
    exchanges: new Set(),
  };
  const probes = new Probes(gateway.router.fleet);
  metrics.routing.watch(gateway.router);
  const app = createApp(api, routes);
  const port = await app.listen(config.server.host, config.server.port);
  return {
    port,
    router: gateway.router,
    drain: async () => {
      api.draining = true;
      app.closeIdleSockets();
      if (await endedWithin(api.inFlight, config.server.drainTimeoutMs)) return true;
      app.cutOff();
      return false;
    },
    close: () => {
      probes.close();
      void live.close();
      app.close();
      gateway.guards.close().catch((error: unknown) => log.error({ err: error }, 'guards'));
    },
  };
}

async function endedWithin(running: ReadonlySet<Promise<unknown>>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, false);
  });
  const ended = Promise.allSettled(running).then(() => true as const);
  const result = await Promise.race([ended, timeout]);
  clearTimeout(timer);
  return result;
}

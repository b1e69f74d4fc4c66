import type { Config } from '../config/index.js';
import type { ModelRegistry } from '../gateway/models.js';
import { PrefixRegistry } from '../gateway/prefixes.js';
import { type Tenancy, withoutTenancy } from '../gateway/tenancy.js';
import type { Log } from '../telemetry/log.js';
import type { Metrics } from '../telemetry/metrics.js';
import { createApp } from './app.js';
import { ByteBudget } from './byte-budget.js';
import type { ApiContext } from './context.js';
import { routes } from './routes.js';

export interface Server {
  port: number;
  /**
   * Refuses what is new and waits for what runs, at most `server.drainTimeoutMs`. True where everything ended by itself.
   * Connections stay open meanwhile, so that load balancers can ask /readyz.
   */
  drain(): Promise<boolean>;
  /** Ends every connection; what still runs is cancelled. */
  close(): void;
}

/** Listens on the configured address. The models and the tenancy stay the caller's to close. */
export async function startServer(parts: {
  config: Config;
  models: ModelRegistry;
  metrics: Metrics;
  log: Log;
  tenancy?: Tenancy;
}): Promise<Server> {
  const { config, models, metrics, log, tenancy = withoutTenancy(parts.config) } = parts;
  const api: ApiContext = {
    config,
    gateway: {
      models,
      prefixes: new PrefixRegistry(config.requests.maxPinnedPrefixes),
      limits: config.requests,
      metrics: metrics.generations,
      accounting: tenancy.accounting,
    },
    access: tenancy.access,
    office: tenancy.office,
    metrics,
    log,
    routes,
    body: { ...config.http, budget: new ByteBudget(config.http.maxReceivingBytes) },
    draining: false,
    inFlight: new Set(),
  };
  for (const { engine } of models.list()) metrics.engines.add(engine);
  const app = createApp(api);
  const port = await app.listen(config.server.host, config.server.port);
  return {
    port,
    drain: async () => {
      api.draining = true;
      app.closeIdleSockets();
      return await endedWithin(api.inFlight, config.server.drainTimeoutMs);
    },
    close: () => app.close(),
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

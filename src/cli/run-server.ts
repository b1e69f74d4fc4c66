import { once } from 'node:events';
import { createServer } from 'node:net';
import type { BackgroundBoard } from '../api/background-board.js';
import { type Server, startServer } from '../api/server.js';
import { openCacheLevels } from '../cache/open.js';
import { sharedSource } from '../cluster/accounts/shared-source.js';
import { GatewayRole } from '../cluster/gateway/role.js';
import { type Config, ConfigError, isLoopback, NO_MODEL, refuseOpenServer } from '../config/index.js';
import { LocalTarget } from '../gateway/local-target.js';
import { ModelRegistry } from '../gateway/models.js';
import { openTenancy, type Tenancy } from '../gateway/tenancy.js';
import type { ModelInfo } from '../native/types.js';
import { packageVersion } from '../support/version.js';
import { createLog, type Log } from '../telemetry/log.js';
import { Metrics } from '../telemetry/metrics.js';
import { openTracing } from '../telemetry/open-tracing.js';
import type { Tracing } from '../telemetry/trace.js';
import { createEmbedder } from './load-embedder.js';
import { closeAll, loadMainModel, localLoader } from './load-model.js';
import { findStateModel } from './state-model.js';
import { drainAtSignal } from './stop-signals.js';

/**
 * Serves until `stop` aborts; where that comes before, it ends what has begun and returns. The store is opened before the
 * models are loaded, which takes longest, and closed last: what is cut off is still accounted.
 */
export async function runServer(config: Config, stop: AbortSignal): Promise<void> {
  const log = createLog(config.log.level);
  const metrics = new Metrics({ processMetrics: true });
  const opened = await unlessStopped(stop, async () => {
    await refuseTakenPort(config.server.host, config.server.port);
    return await openParts(config, metrics, log);
  });
  if (opened === null) return;
  const { tenancy, remote } = opened;
  const tracing = await openTracing(config.telemetry, process.env, log);
  try {
    refuseOpenServer(config, tenancy.access.needsKey);
    await serve(
      config,
      { metrics, log, tenancy, tracing, ...(remote ? { remote, board: remote.board } : {}) },
      stop,
    );
  } finally {
    await remote?.stop();
    await tracing.close();
    await tenancy.close();
    remote?.close();
  }
}

/** The store, and the cluster where this is part of one: it then has the keys and limits. */
async function openParts(
  config: Config,
  metrics: Metrics,
  log: Log,
): Promise<{ tenancy: Tenancy; remote: GatewayRole | null }> {
  if (config.redis.url === '')
    return { tenancy: await openTenancy(config, metrics.generations, log), remote: null };
  const remote = await GatewayRole.open(config, log);
  try {
    const source = sharedSource(remote.redis, remote.id);
    const tenancy = await openTenancy(config, metrics.generations, log, source);
    return { tenancy, remote };
  } catch (error) {
    await remote.stop();
    remote.close();
    throw error;
  }
}

async function serve(
  config: Config,
  parts: {
    metrics: Metrics;
    log: Log;
    tenancy: Tenancy;
    tracing: Tracing;
    remote?: GatewayRole;
    board?: BackgroundBoard;
  },
  stop: AbortSignal,
): Promise<void> {
  const { log, tenancy } = parts;
  const models = new ModelRegistry();
  const others: { close(): Promise<void> }[] = []; // beside the models
  let server: Server | null = null;
  try {
    server = await unlessStopped(stop, async () => {
      const embedder = await createEmbedder(config, log, stop);
      if (embedder) others.push(embedder);
      if (config.model.ref !== NO_MODEL)
        models.add(await loadMainModel(config, log, stop), config.model.aliases);
      const onFault = (error: unknown) => log.warn({ err: error }, 'cache');
      const cacheLevels = await openCacheLevels(config, embedder, onFault, parts.remote?.redis ?? null);
      others.push(...cacheLevels);
      const loader = localLoader(config, log, stop);
      const stateModel = await findStateModel(config, stop);
      return await startServer({ config, models, loader, cacheLevels, embedder, stateModel, ...parts });
    });
    if (server === null) return;
    greet(config, server, tenancy);
    await drainAtSignal(server, stop, log);
  } finally {
    if (server) await server.router.fleet.close();
    else await closeAll(models.list().flatMap(({ engine, text }) => [engine, text]));
    await closeAll(others);
  }
}

/** Null after `stop`: whatever `start` failed with then, it was being stopped. */
async function unlessStopped<T>(stop: AbortSignal, start: () => Promise<T>): Promise<T | null> {
  try {
    stop.throwIfAborted();
    return await start();
  } catch (error) {
    if (!stop.aborted) throw error;
    process.stderr.write('Stopped before serving.\n');
    return null;
  }
}

/** Better said now than after minutes of download and loading. */
async function refuseTakenPort(host: string, port: number): Promise<void> {
  const probe = createServer().listen(port, host);
  try {
    await once(probe, 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'something else listens there' : `the system says ${code}`;
    throw new ConfigError([`server.port: can't listen on ${host} port ${port}: ${why}`]);
  }
  probe.close();
  await once(probe, 'close');
}

function greet(config: Config, server: Server, { access }: Tenancy): void {
  const { host } = config.server;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${server.port}`;
  const deployments = server.router.fleet.list();
  const request =
    deployments[0]?.target?.kind === 'upstream'
      ? ['chat/completions', '{"messages": [{"role": "user", "content": "Hello"}]}']
      : ['completions', '{"prompt": "The capital of France is", "max_tokens": 32}'];
  const lines = [
    `Sluice ${packageVersion()} serves ${deployments.map(({ id }) => id).join(', ') || 'what workers will bring'} at ${url}`,
    ...deployments.flatMap(({ target }) => (target instanceof LocalTarget ? [describe(target)] : [])),
    'Try:',
    '',
    `  curl ${url}/v1/${request[0]} -H 'content-type: application/json' \\`,
    ...(access.needsKey ? ["    -H 'authorization: Bearer sk-sluice-…' \\"] : []),
    `    -d '${request[1]}'`,
    '',
    `or open ${url} in a browser.`,
    '',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  if (isLoopback(host) || access.needsKey) return;
  process.stderr.write(`WARNING: anyone who can reach ${url} can use this server: there are no keys.\n`);
}

function describe({ served: { id, engine } }: LocalTarget): string {
  const { attention } = engine.context;
  return `${id}: context ${engine.maxContext} tokens, ${attention} attention, ${weightsOf(engine.model)} weights`;
}

function weightsOf({ packedWeights: { kernel } }: ModelInfo): string {
  return kernel === '' ? 'stock' : `packed (${kernel})`;
}

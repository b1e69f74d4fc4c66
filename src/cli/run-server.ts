import { once } from 'node:events';
import { createServer } from 'node:net';
import { type Server, startServer } from '../api/server.js';
import { type Config, ConfigError, isLoopback, refuseOpenServer } from '../config/index.js';
import { createEngine } from '../engine/host.js';
import { ModelRegistry, type ServedModel } from '../gateway/models.js';
import { openTenancy, type Tenancy } from '../gateway/tenancy.js';
import { createReporter, type ResolvedModel, resolveModel } from '../models/index.js';
import type { ModelInfo } from '../native/types.js';
import { repackedDirectory, repackModel } from '../repack/index.js';
import { packageVersion } from '../support/version.js';
import { createLog, type Log } from '../telemetry/log.js';
import { Metrics } from '../telemetry/metrics.js';
import { createTextService } from '../text/text-pool.js';
import { drainAtSignal } from './stop-signals.js';

/**
 * Serves until `stop` aborts; where that comes before, it ends what has begun and returns. The store is opened before the
 * model is loaded, which takes longest, and closed last: what is cut off is still accounted.
 */
export async function runServer(config: Config, stop: AbortSignal): Promise<void> {
  const log = createLog(config.log.level);
  const metrics = new Metrics({ processMetrics: true });
  const tenancy = await unlessStopped(stop, async () => {
    await refuseTakenPort(config.server.host, config.server.port);
    return await openTenancy(config, metrics.generations, log);
  });
  if (tenancy === null) return;
  try {
    refuseOpenServer(config, tenancy.access.needsKey);
    const model = await unlessStopped(stop, () => loadModel(config, log, stop));
    if (model === null) return;
    try {
      const models = new ModelRegistry();
      models.add(model, config.model.aliases);
      const server = await startServer({ config, models, metrics, log, tenancy });
      greet(config, server, model, tenancy);
      await drainAtSignal(server, stop, log);
    } finally {
      await closeAll([model.engine, model.text]);
    }
  } finally {
    await tenancy.close();
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

async function loadModel(config: Config, log: Log, stop: AbortSignal): Promise<ServedModel> {
  const reporter = createReporter();
  const resolved = await resolveModel(config.model.ref, { reporter, signal: stop });
  const modelPath = await repacked(resolved, config, log, stop);
  const started = performance.now();
  const [engine, text] = await allOrNone([
    createEngine({ modelPath, ...config.engine }, undefined, {
      modelId: resolved.id,
      signal: stop,
      onFault: (message) => log.error({ model: resolved.id }, message),
    }),
    createText(config, resolved),
  ]);
  log.info(
    { model: engine.modelId, loadMs: Math.round(performance.now() - started), ...engine.context },
    'model loaded',
  );
  return { id: engine.modelId, engine, text };
}

interface Closable {
  close(): Promise<void>;
}

/** Where one fails, the other is closed: its threads would keep the process alive. */
async function allOrNone<A extends Closable, B extends Closable>(
  starting: [Promise<A>, Promise<B>],
): Promise<[A, B]> {
  try {
    return await Promise.all(starting);
  } catch (error) {
    const settled = await Promise.allSettled(starting);
    await closeAll(settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : [])));
    throw error;
  }
}

async function closeAll(parts: readonly Closable[]): Promise<void> {
  await Promise.all(parts.map((part) => part.close()));
}

/** The file the engine loads: the model's own, or its rewritten copy. */
async function repacked(
  resolved: ResolvedModel,
  config: Config,
  log: Log,
  stop: AbortSignal,
): Promise<string> {
  const { path, revision } = resolved;
  const { repack: mode, ...engine } = config.engine;
  const directory = repackedDirectory(process.env);
  const outcome = await repackModel({ source: { path, revision }, mode, engine, directory }, stop, (detail) =>
    log.info({ model: resolved.id }, `repacking weights: ${detail}`),
  );
  stop.throwIfAborted();
  log.info({ model: resolved.id, repacked: outcome.isRepacked }, `weights ${outcome.detail}`);
  return outcome.path;
}

function createText(config: Config, resolved: ResolvedModel) {
  const { backend } = config.engine;
  return createTextService({ modelPath: resolved.path, backend, ...config.text });
}

function weightsOf({ packedWeights: { kernel } }: ModelInfo): string {
  return kernel === '' ? 'stock' : `packed (${kernel})`;
}

function greet(config: Config, server: Server, { id, engine }: ServedModel, { access }: Tenancy): void {
  const { host } = config.server;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${server.port}`;
  const lines = [
    `Sluice ${packageVersion()} serves ${id} at ${url}`,
    `Context ${engine.maxContext} tokens, ${engine.context.attention} attention, ${weightsOf(engine.model)} weights. Try:`,
    '',
    `  curl ${url}/v1/completions -H 'content-type: application/json' \\`,
    ...(access.needsKey ? ["    -H 'authorization: Bearer sk-sluice-…' \\"] : []),
    `    -d '{"prompt": "The capital of France is", "max_tokens": 32}'`,
    '',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  if (isLoopback(host) || access.needsKey) return;
  process.stderr.write(`WARNING: anyone who can reach ${url} can use this server: there are no keys.\n`);
}

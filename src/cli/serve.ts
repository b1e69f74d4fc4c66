import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Command } from 'commander';
import { type Server, startServer } from '../api/server.js';
import { type Assignment, type Config, ConfigError, isLoopback, loadConfig } from '../config/index.js';
import { createEngine } from '../engine/host.js';
import { ModelRegistry, type ServedModel } from '../gateway/models.js';
import { createReporter, type ResolvedModel, resolveModel } from '../models/index.js';
import type { ModelInfo } from '../native/types.js';
import { repackedDirectory, repackModel } from '../repack/index.js';
import { packageVersion } from '../support/version.js';
import { createLog, type Log } from '../telemetry/log.js';
import { Metrics } from '../telemetry/metrics.js';
import { createTextService } from '../text/text-pool.js';
import { addServeOptions } from './serve-options.js';
import { drainAtSignal, stopSignals } from './stop-signals.js';

export function register(program: Command): void {
  const flags: Assignment[] = [];
  const command = program
    .command('serve')
    .description('load a model and serve it over HTTP and WebSocket')
    .option('--config <file>', 'YAML file of settings (default: $SLUICE_CONFIG)');
  addServeOptions(command, flags);
  command.action(async (options: { config?: string }) => {
    const file = options.config ?? process.env.SLUICE_CONFIG;
    await serve(loadConfig({ file, environment: process.env, flags }));
  });
}

async function serve(config: Config): Promise<void> {
  await refuseTakenPort(config.server.host, config.server.port);
  const log = createLog(config.log.level);
  const signals = stopSignals();
  const model = await loadModel(config, log);
  try {
    const models = new ModelRegistry();
    models.add(model, config.model.aliases);
    const server = await startServer({ config, models, metrics: new Metrics({ processMetrics: true }), log });
    greet(config, server, model);
    await drainAtSignal(server, signals, log);
  } finally {
    await Promise.all([model.engine.close(), model.text.close()]);
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

async function loadModel(config: Config, log: Log): Promise<ServedModel> {
  const reporter = createReporter();
  const resolved = await resolveModel(config.model.ref, { reporter });
  const modelPath = await repacked(resolved, config, log);
  const started = performance.now();
  const [engine, text] = await Promise.all([
    createEngine({ modelPath, ...config.engine }, undefined, {
      modelId: resolved.id,
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

/** The file the engine loads: the model's own, or its rewritten copy. */
async function repacked(resolved: ResolvedModel, config: Config, log: Log): Promise<string> {
  const { path, revision } = resolved;
  const { repack: mode, ...engine } = config.engine;
  const directory = repackedDirectory(process.env);
  const outcome = await repackModel({ source: { path, revision }, mode, engine, directory }, (detail) =>
    log.info({ model: resolved.id }, `repacking weights: ${detail}`),
  );
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

function greet(config: Config, server: Server, { id, engine }: ServedModel): void {
  const { host } = config.server;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${server.port}`;
  const lines = [
    `Sluice ${packageVersion()} serves ${id} at ${url}`,
    `Context ${engine.maxContext} tokens, ${engine.context.attention} attention, ${weightsOf(engine.model)} weights. Try:`,
    '',
    `  curl ${url}/v1/completions -H 'content-type: application/json' \\`,
    `    -d '{"prompt": "The capital of France is", "max_tokens": 32}'`,
    '',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  if (isLoopback(host)) return;
  process.stderr.write(`WARNING: anyone who can reach ${url} can use this server: no keys are configured.\n`);
}

import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Command } from 'commander';
import { type Server, startServer } from '../api/server.js';
import { type Assignment, type Config, ConfigError, isLoopback, loadConfig } from '../config/index.js';
import { LocalTarget } from '../gateway/local-target.js';
import { ModelRegistry } from '../gateway/models.js';
import { packageVersion } from '../support/version.js';
import { createLog } from '../telemetry/log.js';
import { Metrics } from '../telemetry/metrics.js';
import { loadMainModel, localLoader } from './load-model.js';
import { addServeOptions } from './serve-options.js';
import { drainAtSignal, stopSignals } from './stop-signals.js';

/** `model.ref` of a server that only has the models of `routing.models`. */
const NO_MODEL = 'none';

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
  const models = new ModelRegistry();
  if (config.model.ref !== NO_MODEL) models.add(await loadMainModel(config, log), config.model.aliases);
  const metrics = new Metrics({ processMetrics: true });
  let server: Server | null = null;
  try {
    server = await startServer({ config, models, metrics, log, loader: localLoader(config, log) });
    greet(config, server);
    await drainAtSignal(server, signals, log);
  } finally {
    if (server) await server.router.fleet.close();
    else await Promise.all(models.list().flatMap(({ engine, text }) => [engine.close(), text.close()]));
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

function greet(config: Config, server: Server): void {
  const { host } = config.server;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${server.port}`;
  const deployments = server.router.fleet.list();
  const first = deployments[0];
  const request =
    first?.target?.kind === 'upstream'
      ? [`chat/completions`, `{"messages": [{"role": "user", "content": "Hello"}]}`]
      : ['completions', '{"prompt": "The capital of France is", "max_tokens": 32}'];
  const lines = [
    `Sluice ${packageVersion()} serves ${deployments.map(({ id }) => id).join(', ')} at ${url}`,
    ...deployments.flatMap(({ target }) => (target instanceof LocalTarget ? [describe(target)] : [])),
    'Try:',
    '',
    `  curl ${url}/v1/${request[0]} -H 'content-type: application/json' \\`,
    `    -d '${request[1]}'`,
    '',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  if (isLoopback(host)) return;
  process.stderr.write(`WARNING: anyone who can reach ${url} can use this server: no keys are configured.\n`);
}

function describe({ served: { id, engine } }: LocalTarget): string {
  return `${id}: context ${engine.maxContext} tokens, ${engine.context.attention} attention`;
}

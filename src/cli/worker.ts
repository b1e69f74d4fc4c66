import type { Command } from 'commander';
import { type Assignment, ConfigError, loadConfig } from '../config/index.js';
import { addServeOptions } from './serve-options.js';
import { stopAtSignal } from './stop-signals.js';

export function register(program: Command): void {
  const flags: Assignment[] = [];
  const command = program
    .command('worker')
    .description(
      'load a model and serve it to gateways, over Redis; its port answers /healthz, /readyz and /metrics',
    )
    .option('--config <file>', 'YAML file of settings (default: $SLUICE_CONFIG)');
  addServeOptions(command, flags);
  command.action(async (options: { config?: string }) => {
    const file = options.config ?? process.env.SLUICE_CONFIG;
    const config = loadConfig({ file, environment: process.env, flags });
    if (config.redis.url === '') throw new ConfigError(['redis.url: a worker needs a Redis; give --redis']);
    const stop = stopAtSignal();
    const { runWorker } = await import('./run-worker.js');
    await runWorker(config, stop);
  });
}

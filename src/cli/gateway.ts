import type { Command } from 'commander';
import { type Assignment, ConfigError, loadConfig, NO_MODEL } from '../config/index.js';
import { addServeOptions } from './serve-options.js';
import { stopAtSignal } from './stop-signals.js';

export function register(program: Command): void {
  const flags: Assignment[] = [];
  const command = program
    .command('gateway')
    .description('serve the models of workers, over Redis; loads none itself')
    .option('--config <file>', 'YAML file of settings (default: $SLUICE_CONFIG)');
  addServeOptions(command, flags, { withModel: false });
  command.action(async (options: { config?: string }) => {
    const file = options.config ?? process.env.SLUICE_CONFIG;
    const own = { path: 'model.ref', value: NO_MODEL, origin: 'sluice gateway' };
    const config = loadConfig({ file, environment: process.env, flags: [...flags, own] });
    if (config.redis.url === '') throw new ConfigError(['redis.url: a gateway needs a Redis; give --redis']);
    const stop = stopAtSignal();
    const { runServer } = await import('./run-server.js');
    await runServer(config, stop);
  });
}

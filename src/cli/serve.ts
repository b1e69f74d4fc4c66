import type { Command } from 'commander';
import { type Assignment, loadConfig } from '../config/index.js';
import { addServeOptions } from './serve-options.js';
import { stopAtSignal } from './stop-signals.js';

export function register(program: Command): void {
  const flags: Assignment[] = [];
  const command = program
    .command('serve')
    .description('load a model and serve it over HTTP and WebSocket')
    .option('--config <file>', 'YAML file of settings (default: $SLUICE_CONFIG)');
  addServeOptions(command, flags);
  command.action(async (options: { config?: string }) => {
    const file = options.config ?? process.env.SLUICE_CONFIG;
    const config = loadConfig({ file, environment: process.env, flags });
    const stop = stopAtSignal(); // before the server's modules, which take a third of a second to load
    const { runServer } = await import('./run-server.js');
    await runServer(config, stop);
  });
}

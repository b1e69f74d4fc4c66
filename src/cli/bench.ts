import type { Command } from 'commander';
import { SluiceError } from '../errors.js';
import { isCheckout } from '../support/root.js';
import { outputOptions, peerOptions, type ScenarioRow, scenarios } from './bench-scenarios.js';

/** `sluice bench <scenario>`: scenarios live in bench/ and are loaded only when one runs. */
export function register(program: Command): void {
  const bench = program.command('bench').description('measure this server and others');
  for (const scenario of scenarios) {
    const command = bench.command(scenario.name).description(scenario.about);
    for (const row of scenario.required ?? []) command.requiredOption(...row);
    const shared = scenario.takes === 'peers' ? [...outputOptions, ...peerOptions] : outputOptions;
    for (const row of [...shared, ...scenario.options]) command.option(...row);
    command.action((options: Record<string, unknown>) => run(scenario, options));
  }
}

async function run({ name, isAnywhere }: ScenarioRow, options: Record<string, unknown>): Promise<void> {
  if (!isAnywhere && !isCheckout()) {
    throw new SluiceError(
      'not_found',
      `bench ${name} needs what only a checkout of Sluice has, such as its test sets and development packages: ` +
        `run "npm run bench -- ${name}" there, after npm ci. "bench load" and "bench quality" measure a server from anywhere.`,
    );
  }
  const { runBench } = await import('../../bench/run-bench.js');
  await runBench(name, options);
}

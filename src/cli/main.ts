import { setFlagsFromString } from 'node:v8';
import { Command } from 'commander';
import { ConfigError } from '../config/index.js';
import { SluiceError } from '../errors.js';
import { packageVersion } from '../support/version.js';

interface CommandModule {
  register(program: Command): void;
}

/** Loaded only when asked for: a server shouldn't wait for the bench's imports. */
const commands: Record<string, () => Promise<CommandModule>> = {
  serve: () => import('./serve.js'),
  gateway: () => import('./gateway.js'),
  worker: () => import('./worker.js'),
  queue: () => import('./queue.js'),
  models: () => import('./models.js'),
  keys: () => import('./keys.js'),
  budgets: () => import('./budgets.js'),
  usage: () => import('./usage.js'),
  guards: () => import('./guards.js'),
  cache: () => import('./cache.js'),
  doctor: () => import('./doctor.js'),
  eval: () => import('./eval.js'),
  bench: () => import('./bench.js'),
  gpu: () => import('./gpu.js'),
};

/**
 * Garbage of requests, on all threads. One thread collects new objects: the event loop would wait for V8's helpers, four even where
 * there are two cores. And each object begins as a new one: while requests are few and slow, V8 else learns that some live long, makes
 * them as old ones from then on, and they keep all that they refer to until the next full collection.
 */
setFlagsFromString('--no-parallel-scavenge');
setFlagsFromString('--no-allocation-site-pretenuring');

async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('sluice')
    .description('Self-hosted LLM server: OpenAI-compatible HTTP and WebSocket over llama.cpp.')
    .version(packageVersion())
    .showHelpAfterError('(see --help)');
  const asked = commands[argv[0] ?? ''];
  for (const load of asked ? [asked] : Object.values(commands)) (await load()).register(program);
  await program.parseAsync(argv, { from: 'user' });
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (error instanceof ConfigError) {
    process.stderr.write(
      `The configuration can't be used:\n${error.faults.map((fault) => `  ${fault}\n`).join('')}`,
    );
  } else if (error instanceof SluiceError) {
    process.stderr.write(`sluice: ${error.message}\n`);
  } else {
    process.stderr.write(
      `sluice: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
  }
  process.exitCode = 1;
}

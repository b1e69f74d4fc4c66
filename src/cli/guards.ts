import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { type Config, type GuardStage, guardStages, loadConfig } from '../config/index.js';
import { SluiceError } from '../errors.js';
import { guardKinds, THOROUGH_PROFILE } from '../guards/catalog.js';
import { DryRun } from '../guards/dry-run.js';
import { ProfileBook } from '../guards/profile.js';
import { formatTable } from '../support/table.js';
import { createLog } from '../telemetry/log.js';
import { findStateModel } from './state-model.js';

interface ConfigOptions {
  config?: string;
}

interface TestOptions extends ConfigOptions {
  profile: string;
  stage: GuardStage;
  lines?: boolean;
  json?: boolean;
}

export function register(program: Command): void {
  const guards = program.command('guards').description('what is checked on the way in and out');
  guards
    .command('list')
    .description('guards that there are, and the profiles that use them')
    .addOption(configOption())
    .action(list);
  guards
    .command('test')
    .description(
      'what guards find in a text, and what they would leave of it; nothing is sent anywhere but to webhooks',
    )
    .argument('<file>', 'a text; - for standard input')
    .addOption(configOption())
    .option('--profile <name>', 'whose guards', 'default')
    .addOption(
      new Option('--stage <stage>', 'as a user wrote it, or a model').choices(guardStages).default('input'),
    )
    .option('--lines', 'each line is a text of its own')
    .option('--json', 'print JSON, one line a text')
    .action(test);
}

function configOption(): Option {
  return new Option('--config <file>', 'YAML file of settings (default: $SLUICE_CONFIG)');
}

function configOf({ config }: ConfigOptions): Config {
  return loadConfig({ file: config ?? process.env.SLUICE_CONFIG, environment: process.env });
}

function list(options: ConfigOptions): void {
  const { guards: config } = configOf(options);
  const kinds = [...guardKinds(config.custom)].map(([name, { stages, mode, summary }]) => {
    return [name, stages.join(', '), mode, summary];
  });
  const everyProfile = { ...config, profile: THOROUGH_PROFILE };
  const profiles = new ProfileBook(everyProfile)
    .list()
    .map(({ name, guards: { input, output }, onBlock }) => {
      const named = (guards: typeof input) =>
        guards.map(({ use }) => `${use.guard} (${use.mode})`).join(', ');
      return [name, named(input), named(output), onBlock];
    });
  process.stdout.write(formatTable(['GUARD', 'FOR', 'MODE', 'WHAT'], kinds));
  process.stdout.write(`\n${formatTable(['PROFILE', 'INPUT', 'OUTPUT', 'ON BLOCK'], profiles)}`);
}

async function test(file: string, options: TestOptions): Promise<void> {
  const given = configOf(options);
  const config = { ...given, guards: { ...given.guards, profile: options.profile } };
  const stateModel = await findStateModel(config, new AbortController().signal);
  const run = new DryRun(config.guards, options.profile, options.stage, createLog('error'), stateModel);
  try {
    const whole = readFileSync(file === '-' ? 0 : file, 'utf8');
    const texts = options.lines ? whole.split('\n').filter((line) => line !== '') : [whole];
    for (const name of run.skipped) process.stderr.write(`${name} needs a model, and isn't tried here.\n`);
    let isBlocked = false;
    for (const text of texts) {
      const result = await run.check(text);
      isBlocked ||= result.isBlocked;
      process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : describe(result));
    }
    if (isBlocked) process.exitCode = 2;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new SluiceError('invalid_value', `There is no file ${file}.`);
    throw error;
  } finally {
    await run.close();
  }
}

function describe({ text, hits, isBlocked, left }: Awaited<ReturnType<DryRun['check']>>): string {
  if (hits.length === 0) return 'Nothing found.\n';
  const rows = hits.map(({ start, end, guard, category, score, mode, detail }) => {
    return [
      `${start}-${end}`,
      guard,
      category,
      score.toFixed(2),
      mode,
      detail ?? '',
      shortened(text.slice(start, end)),
    ];
  });
  const table = formatTable(['SPAN', 'GUARD', 'CATEGORY', 'SCORE', 'MODE', 'RULE', 'TEXT'], rows);
  return `${table}${isBlocked ? 'Blocked.' : left === text ? 'Passes as it is.' : `Passes as:\n${left}`}\n`;
}

function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length <= 60 ? line : `${line.slice(0, 59)}…`;
}

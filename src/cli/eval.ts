import { type Command, Option } from 'commander';
import { suiteFormats } from '../eval/suite/load.js';
import { suiteJsonSchema } from '../eval/suite/schema.js';
import { dataOption } from './data-option.js';
import { share, wholeNumber } from './number-option.js';

/** `sluice eval …`: what a command does is loaded when it runs. */
export function register(program: Command): void {
  const evaluation = program
    .command('eval')
    .description('measure how good answers are, and whether they got worse');
  registerRun(evaluation);
  evaluation
    .command('compare')
    .description('whether a run is worse or better than another: runs, baselines, or files of --json')
    .argument('<baseline>')
    .argument('<new>')
    .addOption(dataOption())
    .option('--min-effect <change>', 'least change of the mean score that counts', share, 0.05)
    .option('--fail-on-regression', 'exit status 2 where anything regressed', false)
    .option('--html <file>', 'write a page with answers side by side')
    .option('--json', 'print JSON', false)
    .option('--judge <model>', 'also ask this model which answers it prefers, in both orders')
    .option('--judge-url <url>', 'where the judge is served, such as http://127.0.0.1:8080/v1')
    .action(async (baseline: string, newer: string, options) => {
      const { compareCommand } = await import('./eval-compare.js');
      await compareCommand(baseline, newer, options);
    });
  evaluation
    .command('baseline')
    .description('pin a run to a name; without arguments: list the pinned ones')
    .argument('[name]')
    .argument('[run]')
    .addOption(dataOption())
    .action(async (name: string | undefined, run: string | undefined, options) => {
      const { baselineCommand } = await import('./eval-archive.js');
      await baselineCommand(name, run, options);
    });
  evaluation
    .command('runs')
    .description('runs of this data folder, newest first')
    .addOption(dataOption())
    .action(async (options) => (await import('./eval-archive.js')).runsCommand(options));
  evaluation
    .command('remove')
    .description('remove a run that is no baseline')
    .argument('<run>')
    .addOption(dataOption())
    .action(async (run: string, options) => (await import('./eval-archive.js')).removeCommand(run, options));
  evaluation
    .command('report')
    .description('the reports of a run that is there already')
    .argument('<run>')
    .addOption(dataOption())
    .option('--json <file>', 'write JSON')
    .option('--junit <file>', 'write JUnit XML')
    .option('--html <file>', 'write a page')
    .action(async (run: string, options) => (await import('./eval-archive.js')).reportCommand(run, options));
  evaluation
    .command('agreement')
    .description('how far judges agree with people: JSONL of {prompt, answer, expected?, good}')
    .argument('<labelled>')
    .requiredOption('--judge <models>', 'separated by commas')
    .requiredOption('--judge-url <url>', 'where the judges are served, such as http://127.0.0.1:8080/v1')
    .requiredOption('--criteria <text>', 'what they judge by')
    .option('--json', 'print JSON', false)
    .action(async (labelled: string, options) => {
      const { agreementCommand } = await import('./eval-agreement.js');
      await agreementCommand(labelled, options);
    });
  evaluation
    .command('cases')
    .description('corrections that users gave by /v1/feedback, as a suite in JSONL')
    .addOption(dataOption())
    .option('--since <time>', 'date or time of UTC (default: all)')
    .option('--out <file>', 'where to write (default: print)')
    .action(async (options) => (await import('./eval-archive.js')).casesCommand(options));
  evaluation
    .command('schema')
    .description('JSON Schema of suites, for editors')
    .action(() => {
      process.stdout.write(`${JSON.stringify(suiteJsonSchema(), null, 2)}\n`);
    });
}

function registerRun(evaluation: Command): void {
  evaluation
    .command('run')
    .description('run a suite; without --url the model is loaded here')
    .argument('<suite>', 'YAML, JSON or JSONL file')
    .requiredOption(
      '--target <model>',
      'model, alias or route; without --url also a reference of `models pull`',
    )
    .option(
      '--url <url>',
      'OpenAI-compatible server, such as http://127.0.0.1:8080/v1; key: SLUICE_EVAL_API_KEY',
    )
    .option(
      '--config <file>',
      'without --url: YAML file of settings, whose models and routes can be the target',
    )
    .option('--judge <models>', 'models that judge, separated by commas')
    .option('--judge-url <url>', "where they are served (default: the target's place)")
    .addOption(
      new Option('--format <name>', 'of the suite (default: what it looks like)').choices([...suiteFormats]),
    )
    .option('--tags <names>', 'only cases with one of these tags, separated by commas')
    .option('--repeats <n>', 'times each case is asked (default: as it says, or 1)', wholeNumber(1, 1000))
    .option('--seed <n>', 'of the first repeat; each further one adds 1', wholeNumber(0), 1)
    .option(
      '--concurrency <n>',
      'trials under way at once (default: 64 here, 8 with --url)',
      wholeNumber(1, 1000),
    )
    .option('--timeout-ms <ms>', 'of a request to --url', wholeNumber(1, 86_400_000), 120_000)
    .option('--retries <n>', 'of a request to --url', wholeNumber(0, 100), 4)
    .option(
      '--resume [run]',
      'go on with a run that was cut off or has trials without a score (default: the last that was cut off)',
    )
    .option('--no-cache', 'ask again what was asked before')
    .option('--baseline <name>', 'compare with this baseline or run, in the reports too')
    .option('--fail-on-regression', 'exit status 2 where anything is worse than the baseline', false)
    .option('--min-pass-rate <share>', 'exit status 2 where fewer cases pass, 0 to 1', share)
    .option('--json <file>', 'write JSON')
    .option('--junit <file>', 'write JUnit XML')
    .option('--html <file>', 'write a page')
    .addOption(dataOption())
    .action(async (suite: string, options) => (await import('./eval-run.js')).runCommand(suite, options));
}

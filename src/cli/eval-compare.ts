import { compareRuns, hasRegressed } from '../eval/compare/compare.js';
import { comparePreferences } from '../eval/compare/preferences.js';
import { defaultCompareOptions } from '../eval/compare/verdict.js';
import { writeReports } from '../eval/report/files.js';
import { comparisonTable } from '../eval/report/terminal.js';
import { RunArchive } from '../eval/run/archive.js';
import { EvalTarget } from '../eval/target/target.js';
import { type DataOptions, withDatabase } from './data-option.js';
import { openUrl } from './eval-endpoint.js';
import { stopAtSignal } from './stop-signals.js';

interface CompareCommandOptions extends DataOptions {
  minEffect: number;
  failOnRegression: boolean;
  html?: string;
  json: boolean;
  judge?: string;
  judgeUrl?: string;
}

const WORSE = 2;
const JUDGE_TIMEOUT_MS = 120_000;
const JUDGE_RETRIES = 4;

export async function compareCommand(
  before: string,
  after: string,
  options: CompareCommandOptions,
): Promise<void> {
  await withDatabase(options, async (database) => {
    const archive = new RunArchive(database);
    const [old, now] = [await archive.read(before), await archive.read(after)];
    const comparison = compareRuns(old, now, { ...defaultCompareOptions, minEffect: options.minEffect });
    if (options.json) process.stdout.write(`${JSON.stringify(comparison, null, 2)}\n`);
    else process.stdout.write(comparisonTable(comparison));
    if (options.judge !== undefined && options.judgeUrl !== undefined) {
      const { endpoint } = openUrl(options.judgeUrl, options.judge, JUDGE_TIMEOUT_MS, JUDGE_RETRIES);
      const judge = new EvalTarget(endpoint, options.judge);
      const counts = await comparePreferences(judge, old, now, stopAtSignal());
      process.stdout.write(
        `${options.judge} prefers the old answer ${counts.a} times, the new one ${counts.b}, neither ${counts.tie}; unreadable ${counts.unreadable}.\n`,
      );
    }
    const { html } = options;
    for (const file of await writeReports(now, { run: old, comparison }, html === undefined ? {} : { html }))
      process.stderr.write(`wrote ${file}\n`);
    if (options.failOnRegression && hasRegressed(comparison)) process.exitCode = WORSE;
  });
}

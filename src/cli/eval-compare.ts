import { SluiceError } from '../errors.js';
import { compareRuns, hasRegressed, isEmpty } from '../eval/compare/compare.js';
import { comparePreferences } from '../eval/compare/preferences.js';
import { defaultCompareOptions } from '../eval/compare/verdict.js';
import type { Preference } from '../eval/judge/prefer.js';
import { writeReports } from '../eval/report/files.js';
import { comparisonTable } from '../eval/report/terminal.js';
import { RunArchive } from '../eval/run/archive.js';
import { mcnemar } from '../eval/statistics/exact.js';
import { type DataOptions, withDatabase } from './data-option.js';
import { openJudge } from './eval-endpoint.js';
import { exitStatus } from './eval-exit.js';
import { stopAtSignal } from './stop-signals.js';

interface CompareCommandOptions extends DataOptions {
  minEffect: number;
  failOnRegression: boolean;
  html?: string;
  json: boolean;
  judge?: string;
  judgeUrl?: string;
}

export async function compareCommand(
  before: string,
  after: string,
  options: CompareCommandOptions,
): Promise<void> {
  const { judge, judgeUrl, json, html } = options;
  if ((judge === undefined) !== (judgeUrl === undefined))
    throw new SluiceError('invalid_value', '--judge and --judge-url go together.');
  await withDatabase(options, async (database) => {
    const archive = new RunArchive(database);
    const [old, now] = [await archive.read(before), await archive.read(after)];
    const comparison = compareRuns(old, now, { ...defaultCompareOptions, minEffect: options.minEffect });
    const preferences =
      judge === undefined
        ? null
        : await comparePreferences(openJudge(judgeUrl!, judge), old, now, stopAtSignal());
    if (json) process.stdout.write(`${JSON.stringify({ ...comparison, preferences }, null, 2)}\n`);
    else {
      process.stdout.write(comparisonTable(comparison));
      if (preferences) process.stdout.write(describe(preferences));
    }
    const files = html === undefined ? {} : { html };
    for (const file of await writeReports(now, { run: old, comparison }, files))
      process.stderr.write(`Wrote ${file}.\n`);
    if (options.failOnRegression && hasRegressed(comparison)) process.exitCode = exitStatus.worse;
    else if (isEmpty(comparison)) process.exitCode = exitStatus.notAllScored;
  });
}

function describe({ a, b, tie, unreadable }: Record<Preference, number>): string {
  const p = mcnemar(b, a).toPrecision(2);
  return `Preferred: the old answer ${a} times, the new one ${b} (sign test: p ${p}), neither ${tie}; verdicts that could not be had: ${unreadable}.\n`;
}

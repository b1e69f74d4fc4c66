import { writeFile } from 'node:fs/promises';
import { SluiceError } from '../errors.js';
import { correctionsAsSuite } from '../eval/live/corrections.js';
import { type ReportFiles, writeReports } from '../eval/report/files.js';
import { runTable } from '../eval/report/terminal.js';
import { RunArchive } from '../eval/run/archive.js';
import { formatTable } from '../support/table.js';
import { type DataOptions, withDatabase } from './data-option.js';

const MAX_CASES = 100_000;

export async function baselineCommand(
  name: string | undefined,
  run: string | undefined,
  options: DataOptions,
): Promise<void> {
  await withDatabase(options, (database) => {
    const archive = new RunArchive(database);
    if (name !== undefined && run === undefined)
      throw new SluiceError('invalid_value', `Which run is to be ${name}? sluice eval runs lists them.`);
    if (name !== undefined && run !== undefined) {
      archive.pin(name, run, Date.now());
      process.stdout.write(`${name} is run ${run}.\n`);
      return;
    }
    const rows = archive
      .baselines()
      .map((each) => [each.name, each.runId, new Date(each.pinnedAtMs).toISOString()]);
    process.stdout.write(formatTable(['NAME', 'RUN', 'PINNED'], rows));
  });
}

export async function runsCommand(options: DataOptions): Promise<void> {
  await withDatabase(options, (database) => {
    const rows = new RunArchive(database)
      .list()
      .map((run) => [
        run.id,
        run.suite,
        run.target.model,
        run.target.url ?? 'here',
        String(run.trials),
        run.finishedAtMs === null ? 'cut off, or running' : 'finished',
      ]);
    process.stdout.write(formatTable(['RUN', 'SUITE', 'TARGET', 'WHERE', 'TRIALS', 'STATE'], rows));
  });
}

export async function removeCommand(run: string, options: DataOptions): Promise<void> {
  await withDatabase(options, (database) => new RunArchive(database).remove(run));
  process.stdout.write(`Removed ${run}.\n`);
}

export async function reportCommand(name: string, options: DataOptions & ReportFiles): Promise<void> {
  await withDatabase(options, async (database) => {
    const run = await new RunArchive(database).read(name);
    process.stdout.write(runTable(run));
    for (const file of await writeReports(run, null, options)) process.stderr.write(`Wrote ${file}.\n`);
  });
}

export async function casesCommand(options: DataOptions & { since?: string; out?: string }): Promise<void> {
  const sinceMs = options.since === undefined ? 0 : Date.parse(options.since);
  if (Number.isNaN(sinceMs)) throw new SluiceError('invalid_value', `${options.since} is no date or time.`);
  const suite = await withDatabase(options, (database) =>
    correctionsAsSuite(database.correctedSamples(sinceMs, MAX_CASES)),
  );
  if (options.out === undefined) process.stdout.write(suite.text);
  else await writeFile(options.out, suite.text);
  const hint =
    suite.cases === 0 ? ' They become cases where evaluation.keepTexts is on as they are given.' : '';
  process.stderr.write(`${suite.cases} corrections.${hint}\n`);
}

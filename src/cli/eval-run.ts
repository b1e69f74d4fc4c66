import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { SingleBar } from 'cli-progress';
import { SluiceError } from '../errors.js';
import { compareRuns, hasRegressed, isEmpty } from '../eval/compare/compare.js';
import { defaultCompareOptions } from '../eval/compare/verdict.js';
import { type ReportFiles, writeReports } from '../eval/report/files.js';
import { summarise } from '../eval/report/summary.js';
import { comparisonTable, runTable } from '../eval/report/terminal.js';
import { isSameRun, RunArchive } from '../eval/run/archive.js';
import { planTrials } from '../eval/run/plan.js';
import { runTrials } from '../eval/run/runner.js';
import type { Trial } from '../eval/run/trial.js';
import type { Run, RunHeader, TrialResult } from '../eval/run/types.js';
import { loadSuite, type SuiteFormat } from '../eval/suite/load.js';
import { keptEndpoint } from '../eval/target/kept-endpoint.js';
import { EvalTarget } from '../eval/target/target.js';
import { packageVersion } from '../support/version.js';
import { type DataOptions, withDatabase } from './data-option.js';
import type { OpenedEndpoint } from './eval-endpoint.js';
import { exitStatus } from './eval-exit.js';
import { openPlaces, type Place, type Places } from './eval-places.js';
import { stopAtSignal } from './stop-signals.js';

interface RunOptions extends DataOptions, ReportFiles, Place {
  judge?: string;
  format?: SuiteFormat;
  tags?: string;
  repeats?: number;
  seed: number;
  concurrency?: number;
  resume?: string | true;
  cache: boolean;
  baseline?: string;
  failOnRegression: boolean;
  minPassRate?: number;
}

const ANSWERS_KEPT_MS = 30 * 86_400_000;
const CONCURRENCY = { here: 64, url: 8 };

export async function runCommand(suitePath: string, options: RunOptions): Promise<void> {
  const stop = stopAtSignal();
  const suite = await loadSuite(suitePath, options.format);
  const { seed, repeats = null } = options;
  const tags = namesIn(options.tags);
  const { trials, hash } = await planTrials(suite, { seed, repeats, tags });
  const judges = namesIn(options.judge);
  await withDatabase({ ...options, ifMissing: 'create' }, async (database) => {
    const archive = new RunArchive(database);
    archive.forgetAnswers(Date.now() - ANSWERS_KEPT_MS);
    const baseline = options.baseline === undefined ? null : await archive.read(options.baseline);
    const places = await openPlaces(options, judges, stop);
    try {
      const { model, url, fingerprint, revision } = places.target;
      const fresh: RunHeader = {
        id: newRunId(),
        suite: suite.name,
        suiteHash: hash,
        suitePath: resolve(suitePath),
        target: { model, url, fingerprint, revision },
        judges,
        judgeUrl: options.judgeUrl ?? null,
        seed,
        tags,
        repeats,
        version: packageVersion(),
        startedAtMs: Date.now(),
        trials: trials.length,
      };
      const earlier = earlierRun(archive, fresh, options.resume);
      if (!earlier) archive.begin(fresh);
      const run = earlier ?? { header: fresh, results: [] };
      const results = await perform(trials, run, { archive, places, options, stop });
      await conclude({ header: run.header, results }, baseline, options);
    } finally {
      await places.close();
    }
  });
}

/** Runs what is left of a run, and says how long it took. */
async function perform(
  trials: readonly Trial[],
  { header, results: earlier }: Run,
  around: { archive: RunArchive; places: Places; options: RunOptions; stop: AbortSignal },
): Promise<TrialResult[]> {
  const { archive, places, options, stop } = around;
  let kept = 0;
  const answers = archive.answers(Date.now, () => {
    kept += 1;
  });
  const targetOf = ({ endpoint, model, fingerprint, revision }: OpenedEndpoint, name = model) => {
    const source = `${fingerprint} ${revision ?? ''}`;
    return new EvalTarget(options.cache ? keptEndpoint(endpoint, source, answers) : endpoint, name);
  };
  const startedAt = performance.now();
  const bar = progressBar(trials.length);
  let asked = 0;
  try {
    const results = await runTrials({
      trials,
      target: targetOf(places.target),
      judges: header.judges.map((judge) =>
        targetOf(places.judge, judge === options.target ? places.target.model : judge),
      ),
      concurrency: options.concurrency ?? (options.url ? CONCURRENCY.url : CONCURRENCY.here),
      earlier,
      save: (result) => {
        archive.save(header.id, result);
        asked += 1;
      },
      onProgress: (done) => bar?.update(done),
      signal: stop,
    });
    archive.finish(header.id, Date.now());
    bar?.stop();
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    const fromBefore = kept === 0 ? '' : `, ${kept} answers from before (--no-cache asks again)`;
    process.stderr.write(`${asked} trials in ${seconds} s${fromBefore}.\n`);
    return results;
  } catch (error) {
    throw resumable(error, header.id);
  } finally {
    bar?.stop();
  }
}

async function conclude(run: Run, baseline: Run | null, options: RunOptions): Promise<void> {
  const comparison = baseline && compareRuns(baseline, run, defaultCompareOptions);
  process.stdout.write(runTable(run));
  if (comparison) process.stdout.write(`\nAgainst ${options.baseline}:\n${comparisonTable(comparison)}`);
  const written = await writeReports(run, baseline && comparison && { run: baseline, comparison }, options);
  for (const file of written) process.stderr.write(`Wrote ${file}.\n`);
  const { passRate, statuses } = summarise(run.results).all;
  const withoutScore = statuses.error + statuses.unscored;
  if (withoutScore > 0)
    process.stderr.write(
      `Trials without a score can be tried again: sluice eval run … --resume ${run.header.id}\n`,
    );
  const isBelow = options.minPassRate !== undefined && (passRate ?? 0) < options.minPassRate;
  const isWorse = options.failOnRegression && comparison !== null && hasRegressed(comparison);
  if (isBelow || isWorse) process.exitCode = exitStatus.worse;
  else if (withoutScore > 0 || (comparison && isEmpty(comparison)))
    process.exitCode = exitStatus.notAllScored;
}

/** Throws not_found where the run to go on with isn't there, invalid_value where it is of something else. */
function earlierRun(archive: RunArchive, header: RunHeader, resume: string | true | undefined): Run | null {
  if (resume === undefined) {
    const unfinished = archive.unfinished(header);
    if (unfinished) process.stderr.write(`Run ${unfinished.id} was cut off: --resume goes on with it.\n`);
    return null;
  }
  const id = resume === true ? archive.unfinished(header)?.id : resume;
  const run = id === undefined ? null : archive.find(id);
  if (!run)
    throw new SluiceError('not_found', 'There is no run of this suite, target and judges to go on with.');
  if (!isSameRun(run.header, header))
    throw new SluiceError(
      'invalid_value',
      `Run ${run.header.id} is of another suite, seed, target or judge, or the model's settings were others.`,
    );
  const scored = run.results.filter(({ score }) => score !== null).length;
  process.stderr.write(`Going on with run ${run.header.id}: ${scored} of ${header.trials} are there.\n`);
  return run;
}

function resumable(error: unknown, id: string): SluiceError {
  const { message } = error as Error;
  const code = error instanceof SluiceError ? error.code : 'internal_error';
  return new SluiceError(code, `${message}\nWhat is done is kept: sluice eval run … --resume ${id}`, {
    cause: error,
  });
}

function progressBar(total: number): SingleBar | null {
  if (!process.stderr.isTTY) return null;
  const bar = new SingleBar({
    format: '{bar} {value}/{total} trials, {eta_formatted} left',
    stream: process.stderr,
  });
  bar.start(total, 0);
  return bar;
}

function newRunId(): string {
  return `${new Date().toISOString().slice(0, 19).replace(/[-:]/g, '')}-${randomBytes(2).toString('hex')}`;
}

function namesIn(list: string | undefined): string[] {
  return list === undefined ? [] : list.split(',').map((name) => name.trim());
}

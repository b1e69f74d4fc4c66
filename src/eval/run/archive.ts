import { readFile } from 'node:fs/promises';
import { SluiceError } from '../../errors.js';
import type { Database } from '../../store/index.js';
import type { AnswerStore } from '../target/kept-endpoint.js';
import type { Run, RunHeader, TrialResult } from './types.js';

const MAX_LISTED = 1_000;

/** Runs in the store of a data folder. What can't be written is insufficient_storage or store_unavailable. */
export class RunArchive {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  begin(header: RunHeader): void {
    const { id, suite, startedAtMs } = header;
    written(() => this.#database.beginEvalRun({ id, suite, startedAtMs, header: JSON.stringify(header) }));
  }

  /** Answers kept before are asked for again. */
  forgetAnswers(beforeMs: number): void {
    written(() => this.#database.pruneEvalAnswers(beforeMs));
  }

  save(runId: string, result: TrialResult): void {
    const { caseId, repeat } = result;
    written(() => this.#database.saveEvalResult(runId, { caseId, repeat, body: JSON.stringify(result) }));
  }

  finish(runId: string, nowMs: number): void {
    written(() => this.#database.finishEvalRun(runId, nowMs));
  }

  list(): (RunHeader & { finishedAtMs: number | null })[] {
    return this.#database
      .evalRuns(MAX_LISTED)
      .map(({ header, finishedAtMs }) => ({ ...(JSON.parse(header) as RunHeader), finishedAtMs }));
  }

  /** The last run of the same cases on the same model that was cut off. */
  unfinished(header: RunHeader): RunHeader | null {
    return this.list().find((run) => run.finishedAtMs === null && isSameRun(run, header)) ?? null;
  }

  /** Null where there is none. */
  find(id: string): Run | null {
    const row = this.#database.evalRun(id);
    if (!row) return null;
    const results = this.#database.evalResults(id).map(({ body }) => JSON.parse(body) as TrialResult);
    return { header: JSON.parse(row.header) as RunHeader, results };
  }

  /** A baseline's name, a run's id, or a file that `--json` wrote. Throws not_found. */
  async read(name: string): Promise<Run> {
    const stored = this.find(this.#database.evalBaseline(name) ?? name);
    if (stored) return stored;
    if (!name.endsWith('.json')) {
      throw new SluiceError(
        'not_found',
        `There is no run or baseline ${JSON.stringify(name)} in this data folder.`,
      );
    }
    const text = await readFile(name, 'utf8').catch((error: Error) => {
      throw new SluiceError('not_found', `The run can't be read: ${error.message}.`);
    });
    const { header, results } = parseReport(text);
    if (header && Array.isArray(results)) return { header, results };
    throw new SluiceError('invalid_value', `${name} isn't a report of \`sluice eval run --json\`.`);
  }

  /** Throws not_found, or invalid_value where it is pinned. */
  remove(id: string): void {
    written(() => this.#database.removeEvalRun(id));
  }

  pin(name: string, runId: string, nowMs: number): void {
    written(() => this.#database.pinEvalBaseline(name, runId, nowMs));
  }

  baselines(): { name: string; runId: string; pinnedAtMs: number }[] {
    return this.#database.evalBaselines();
  }

  /** `onKept` is called for each that needn't be asked for again. */
  answers(now: () => number, onKept: () => void): AnswerStore {
    return {
      find: (hash) => {
        const body = this.#database.findEvalAnswer(hash);
        if (body === null) return null;
        onKept();
        return JSON.parse(body) as { body: unknown; latencyMs: number };
      },
      keep: (hash, answer) =>
        written(() => this.#database.keepEvalAnswer(hash, JSON.stringify(answer), now())),
    };
  }
}

/** Whether results of one could as well be the other's. A model that was loaded again at the same address is still that target. */
export function isSameRun(a: RunHeader, b: RunHeader): boolean {
  const identity = ({ suiteHash, target: { model, url, fingerprint }, judges, judgeUrl }: RunHeader) =>
    JSON.stringify([suiteHash, model, url, fingerprint, judges, judgeUrl]);
  return identity(a) === identity(b);
}

function parseReport(text: string): Partial<Run> {
  try {
    return JSON.parse(text) as Partial<Run>;
  } catch {
    return {};
  }
}

function written<T>(write: () => T): T {
  try {
    return write();
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    const { code, message } = error as Error & { code?: string };
    const isFull = code === 'SQLITE_FULL' || /disk is full|no space/i.test(message);
    throw new SluiceError(
      isFull ? 'insufficient_storage' : 'store_unavailable',
      isFull ? "The disk is full: results can't be kept." : `Results can't be kept: ${message}.`,
      { cause: error },
    );
  }
}

import type Libsql from 'libsql';
import { SluiceError } from '../errors.js';
import { writeTransaction } from '../support/write-transaction.js';
import type { EvalResultRow, EvalRunRow } from './eval-types.js';

const RUN_COLUMNS = 'id, suite, started_ms AS startedAtMs, finished_ms AS finishedAtMs, header';

/** Runs of suites, their results, baselines, and answers that needn't be asked for again. */
export class EvalRunTables {
  readonly #statements;
  readonly #removeRun: (id: string) => void;

  constructor(database: Libsql.Database) {
    const removals = ['eval_results WHERE run_id = ?', 'eval_runs WHERE id = ?'].map((rows) =>
      database.prepare(`DELETE FROM ${rows}`),
    );
    this.#removeRun = (id) =>
      writeTransaction(database, () => {
        for (const removal of removals) removal.run(id);
      });
    this.#statements = {
      insertRun: database.prepare('INSERT INTO eval_runs VALUES (?, ?, ?, NULL, ?)'),
      finishRun: database.prepare('UPDATE eval_runs SET finished_ms = ? WHERE id = ?'),
      run: database.prepare(`SELECT ${RUN_COLUMNS} FROM eval_runs WHERE id = ?`),
      runs: database.prepare(`SELECT ${RUN_COLUMNS} FROM eval_runs ORDER BY started_ms DESC LIMIT ?`),
      putResult: database.prepare('INSERT OR REPLACE INTO eval_results VALUES (?, ?, ?, ?)'),
      results: database.prepare('SELECT case_id AS caseId, repeat, body FROM eval_results WHERE run_id = ?'),
      answer: database.prepare('SELECT body FROM eval_answers WHERE hash = ?'),
      putAnswer: database.prepare('INSERT OR REPLACE INTO eval_answers VALUES (?, ?, ?)'),
      pruneAnswers: database.prepare('DELETE FROM eval_answers WHERE at_ms < ?'),
      putBaseline: database.prepare('INSERT OR REPLACE INTO eval_baselines VALUES (?, ?, ?)'),
      baseline: database.prepare('SELECT run_id AS runId FROM eval_baselines WHERE name = ?'),
      baselines: database.prepare(
        'SELECT name, run_id AS runId, pinned_ms AS pinnedAtMs FROM eval_baselines',
      ),
    };
  }

  beginRun({ id, suite, startedAtMs, header }: Omit<EvalRunRow, 'finishedAtMs'>): void {
    this.#statements.insertRun.run(id, suite, startedAtMs, header);
  }

  finishRun(id: string, nowMs: number): void {
    this.#statements.finishRun.run(nowMs, id);
  }

  run(id: string): EvalRunRow | null {
    return (this.#statements.run.get(id) as EvalRunRow | undefined) ?? null;
  }

  /** Newest first. */
  runs(maxRows: number): EvalRunRow[] {
    return this.#statements.runs.all(maxRows) as EvalRunRow[];
  }

  saveResult(runId: string, { caseId, repeat, body }: EvalResultRow): void {
    this.#statements.putResult.run(runId, caseId, repeat, body);
  }

  results(runId: string): EvalResultRow[] {
    return this.#statements.results.all(runId) as EvalResultRow[];
  }

  findAnswer(hash: string): string | null {
    return (this.#statements.answer.get(hash) as { body: string } | undefined)?.body ?? null;
  }

  keepAnswer(hash: string, body: string, nowMs: number): void {
    this.#statements.putAnswer.run(hash, nowMs, body);
  }

  pruneAnswers(beforeMs: number): void {
    this.#statements.pruneAnswers.run(beforeMs);
  }

  /** Throws not_found where there is no such run, invalid_value where it is a baseline. */
  removeRun(id: string): void {
    if (!this.run(id)) throw noRun(id);
    const pinned = this.baselines().find(({ runId }) => runId === id);
    if (pinned)
      throw new SluiceError('invalid_value', `The run is the baseline ${JSON.stringify(pinned.name)}.`);
    this.#removeRun(id);
  }

  /** Throws not_found where there is no such run. */
  pinBaseline(name: string, runId: string, nowMs: number): void {
    if (!this.run(runId)) throw noRun(runId);
    this.#statements.putBaseline.run(name, runId, nowMs);
  }

  /** The run that a baseline is pinned to. */
  baseline(name: string): string | null {
    return (this.#statements.baseline.get(name) as { runId: string } | undefined)?.runId ?? null;
  }

  baselines(): { name: string; runId: string; pinnedAtMs: number }[] {
    return this.#statements.baselines.all() as { name: string; runId: string; pinnedAtMs: number }[];
  }
}

function noRun(id: string): SluiceError {
  return new SluiceError('not_found', `There is no run ${JSON.stringify(id)}.`);
}

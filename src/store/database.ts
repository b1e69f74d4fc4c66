import { join } from 'node:path';
import type Libsql from 'libsql';
import { SluiceError } from '../errors.js';
import { type IfMissing, openPrivateDatabase } from '../support/private-database.js';
import { AlertTable } from './alert-table.js';
import { DirectoryTables } from './directory-tables.js';
import { EvalLiveTables } from './eval-live-tables.js';
import { EvalRunTables } from './eval-run-tables.js';
import type { EvalAlertRow, EvalResultRow, EvalRunRow, EvalSampleRow, FeedbackRow } from './eval-types.js';
import { HandOffTables } from './hand-off-tables.js';
import { journalNumbers } from './journal/files.js';
import { JournalReader } from './journal/reader.js';
import { LedgerTables } from './ledger-tables.js';
import { migrate } from './schema.js';
import type { BudgetAlert, KeyRecord, LedgerEntry, Limits, ScopeLimits, UsageQuery } from './types.js';

/** How long a write waits for another process's. */
const BUSY_TIMEOUT_MS = 5_000;

export type Database = ReturnType<typeof openDatabase>;

/**
 * Opens the store of a data folder. Everything here blocks: a server calls it on the store's worker, a command on its only
 * thread. Throws store_unavailable.
 */
export function openDatabase(directory: string, ifMissing: IfMissing = 'create') {
  const database = connect(directory, ifMissing);
  const keys = new DirectoryTables(database);
  const ledger = new LedgerTables(database);
  const journal = new JournalReader(directory, database, ledger);
  const handOff = new HandOffTables(database, ledger);
  const alerts = new AlertTable(database);
  const runs = new EvalRunTables(database);
  const live = new EvalLiveTables(database);
  const lock = new ServerLock(directory);
  const upToDate = () => {
    journal.apply();
    return ledger;
  };
  return {
    changesSince: (revision: number) => keys.changesSince(revision),
    createKey: (key: KeyRecord, limits: Limits) => keys.createKey(key, limits),
    revokeKey: (id: string, nowMs: number) => keys.revokeKey(id, nowMs),
    rotateKey: (id: string, hash: string, previousUntilMs: number) =>
      keys.rotateKey(id, hash, previousUntilMs),
    setLimits: (limits: ScopeLimits) => keys.setLimits(limits),
    limitsOf: (scope: string) => keys.limitsOf(scope),
    nextJournalNumber: () => journal.nextNumber(),
    applyJournal: () => journal.apply(),
    totals: (starts: Parameters<LedgerTables['totals']>[0]) => upToDate().totals(starts),
    recentUse: (sinceMs: number) => upToDate().recentUse(sinceMs),
    usage: (query: UsageQuery) => upToDate().usage(query),
    requests: (query: Omit<UsageQuery, 'by'>) => upToDate().requests(query),
    pruneLedger: (beforeMs: number) => ledger.prune(beforeMs),
    beginHandOff: () => handOff.begin(),
    appendHandedOff: (shard: number, position: string, entries: LedgerEntry[]) =>
      handOff.append(shard, position, entries),
    keepUnsettled: (entry: LedgerEntry) => handOff.keepUnsettled(entry),
    dropUnsettled: (id: string) => handOff.dropUnsettled(id),
    unsettled: () => handOff.unsettled(),
    recordAlert: (alert: BudgetAlert) => alerts.record(alert),
    alertDelivered: (alert: BudgetAlert, nowMs: number) => alerts.delivered(alert, nowMs),
    undeliveredAlerts: (sinceMs: number, maxRows: number) => alerts.undelivered(sinceMs, maxRows),
    pruneAlerts: (beforeMs: number) => alerts.prune(beforeMs),
    beginEvalRun: (run: Omit<EvalRunRow, 'finishedAtMs'>) => runs.beginRun(run),
    finishEvalRun: (id: string, nowMs: number) => runs.finishRun(id, nowMs),
    evalRun: (id: string) => runs.run(id),
    evalRuns: (maxRows: number) => runs.runs(maxRows),
    removeEvalRun: (id: string) => runs.removeRun(id),
    saveEvalResult: (runId: string, result: EvalResultRow) => runs.saveResult(runId, result),
    evalResults: (runId: string) => runs.results(runId),
    findEvalAnswer: (hash: string) => runs.findAnswer(hash),
    keepEvalAnswer: (hash: string, body: string, nowMs: number) => runs.keepAnswer(hash, body, nowMs),
    pruneEvalAnswers: (beforeMs: number) => runs.pruneAnswers(beforeMs),
    pinEvalBaseline: (name: string, runId: string, nowMs: number) => runs.pinBaseline(name, runId, nowMs),
    evalBaseline: (name: string) => runs.baseline(name),
    evalBaselines: () => runs.baselines(),
    saveEvalSample: (sample: EvalSampleRow) => live.saveSample(sample),
    evalSamples: (sinceMs: number, maxRows: number) => live.samples(sinceMs, maxRows),
    evalEstimates: (sinceMs: number, maxSamples: number) => live.estimates(sinceMs, maxSamples),
    evalScorerMeans: (sinceMs: number, maxSamples: number) => live.scorerMeans(sinceMs, maxSamples),
    saveFeedback: (feedback: FeedbackRow) => live.saveFeedback(feedback),
    correctedSamples: (sinceMs: number, maxRows: number) => live.corrected(sinceMs, maxRows),
    recordEvalAlert: (alert: EvalAlertRow, quietMs: number) => live.recordAlert(alert, quietMs),
    evalAlertDelivered: (alert: EvalAlertRow, nowMs: number) => live.alertDelivered(alert, nowMs),
    undeliveredEvalAlerts: (sinceMs: number) => live.undeliveredAlerts(sinceMs),
    pruneEvalLive: (beforeMs: number) => live.prune(beforeMs),
    /** Brings what is in the log to the database without holding up who writes. */
    checkpoint: () => {
      database.pragma('wal_checkpoint(PASSIVE)');
    },
    lockForServer: () => lock.take(),
    close: () => {
      lock.release();
      database.close();
    },
  };
}

function connect(directory: string, ifMissing: IfMissing): Libsql.Database {
  try {
    // A journal needs a database that stays: its files go when they are read.
    const hasJournal = journalNumbers(directory).length > 0;
    const database = openPrivateDatabase(join(directory, 'sluice.db'), hasJournal ? 'create' : ifMissing);
    database.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
    database.pragma('journal_mode = WAL');
    // A commit outlives the process at once, and a power failure but for the last moments: one fsync a checkpoint.
    database.pragma('synchronous = NORMAL');
    // Pages of 4 KiB. A checkpoint waits for the disk: a server makes its own, on another thread, long before this.
    database.pragma('wal_autocheckpoint = 16384');
    migrate(database);
    return database;
  } catch (error) {
    const { message } = error as Error;
    throw new SluiceError(
      'store_unavailable',
      `The data folder can't be used (--data chooses another): ${message}.`,
      {
        cause: error,
      },
    );
  }
}

/**
 * Counters of windows live in a server's memory, so one server at a time may account in a data folder. The lock is the
 * operating system's, on a file of its own, and dies with the process.
 */
class ServerLock {
  readonly #directory: string;
  #held: Libsql.Database | null = null;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** False where another process has it. */
  take(): boolean {
    if (this.#held) return true;
    const file = openPrivateDatabase(join(this.#directory, 'server.lock'));
    try {
      file.exec('BEGIN EXCLUSIVE');
    } catch (error) {
      file.close();
      if ((error as { code?: string }).code === 'SQLITE_BUSY') return false;
      throw error;
    }
    this.#held = file;
    return true;
  }

  release(): void {
    this.#held?.close();
    this.#held = null;
  }
}

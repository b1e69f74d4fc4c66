import type Libsql from 'libsql';
import { writeTransaction } from '../support/write-transaction.js';

/** Step n brings a database from version n to n + 1. Steps that were released are never changed. */
const migrations: readonly string[] = [
  `
  -- Every change of keys or limits takes the next revision, so that a server reads only what is new to it.
  CREATE TABLE directory (id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER NOT NULL) STRICT;
  INSERT INTO directory VALUES (1, 0);

  CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    hash TEXT NOT NULL,
    previous_hash TEXT,
    previous_until_ms INTEGER,
    organisation TEXT NOT NULL,
    team TEXT,
    user TEXT,
    is_admin INTEGER NOT NULL,
    models TEXT,
    guard_profile TEXT,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER,
    revoked_ms INTEGER,
    revision INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX keys_by_revision ON keys (revision);

  CREATE TABLE limits (
    scope TEXT PRIMARY KEY,
    requests_per_minute INTEGER,
    tokens_per_minute INTEGER,
    requests_per_day INTEGER,
    tokens_per_day INTEGER,
    concurrency INTEGER,
    budget_nanodollars INTEGER,
    budget_period TEXT,
    revision INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX limits_by_revision ON limits (revision);

  -- Rows are appended only, and no index is on their random ids: each insert would touch a page of its own.
  CREATE TABLE ledger (
    id TEXT NOT NULL,
    admitted_ms INTEGER NOT NULL,
    key_id TEXT NOT NULL,
    organisation TEXT NOT NULL,
    team TEXT,
    user TEXT,
    model TEXT,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL,
    nanodollars INTEGER NOT NULL,
    price_source TEXT,
    latency_ms INTEGER NOT NULL,
    cache_level TEXT,
    guard_result TEXT,
    finish_reason TEXT NOT NULL
  ) STRICT;
  CREATE INDEX ledger_by_time ON ledger (admitted_ms);

  -- Sums of the ledger by scope and day of UTC (days since 1970), written with it: a start needs no look at every request.
  CREATE TABLE totals (
    scope TEXT NOT NULL,
    day INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    nanodollars INTEGER NOT NULL,
    PRIMARY KEY (scope, day)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX totals_by_day ON totals (day);

  CREATE TABLE alerts (
    scope TEXT NOT NULL,
    period TEXT NOT NULL,
    period_start_ms INTEGER NOT NULL,
    percent INTEGER NOT NULL,
    body TEXT NOT NULL,
    delivered_ms INTEGER,
    PRIMARY KEY (scope, period, period_start_ms, percent)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Evaluations: what was run, each result as JSON, and answers by the hash of what was asked.
  CREATE TABLE eval_runs (
    id TEXT PRIMARY KEY,
    suite TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    finished_ms INTEGER,
    header TEXT NOT NULL
  ) STRICT;
  CREATE TABLE eval_results (
    run_id TEXT NOT NULL,
    case_id TEXT NOT NULL,
    repeat INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (run_id, case_id, repeat)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE eval_answers (hash TEXT PRIMARY KEY, at_ms INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
  CREATE INDEX eval_answers_by_time ON eval_answers (at_ms);
  CREATE TABLE eval_baselines (name TEXT PRIMARY KEY, run_id TEXT NOT NULL, pinned_ms INTEGER NOT NULL) STRICT;

  -- Live traffic that was evaluated, and what its users thought of it. A feedback counts where the tenant is the request's.
  CREATE TABLE eval_samples (
    request_id TEXT NOT NULL,
    tenant TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    model TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (request_id, tenant)
  ) STRICT;
  CREATE INDEX eval_samples_by_time ON eval_samples (at_ms);
  CREATE TABLE feedback (
    request_id TEXT NOT NULL,
    tenant TEXT NOT NULL,
    key_id TEXT,
    at_ms INTEGER NOT NULL,
    rating REAL,
    correction TEXT,
    comment TEXT,
    PRIMARY KEY (request_id, tenant)
  ) STRICT;
  CREATE INDEX feedback_by_time ON feedback (at_ms);
  CREATE TABLE eval_alerts (
    subject TEXT PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    body TEXT NOT NULL,
    delivered_ms INTEGER
  ) STRICT;
  `,
  `
  -- How far the journal's files were brought into the ledger.
  CREATE TABLE journal (file INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
  INSERT INTO journal VALUES (0, 0);
    `,
  `
  -- Gateways of a cluster: which reader of the shared ledger this is, how far it has read each shard, and entries of its own
  -- that couldn't be added there yet, as JSON.
  CREATE TABLE hand_off_reader (row INTEGER PRIMARY KEY CHECK (row = 1), id TEXT NOT NULL) STRICT;
  CREATE TABLE hand_off (shard INTEGER PRIMARY KEY, position TEXT NOT NULL) STRICT;
  CREATE TABLE unsettled (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
  `,
];

/** Throws where a newer Sluice has written the database. */
export function migrate(database: Libsql.Database): void {
  writeTransaction(database, () => {
    const { user_version: version } = database.prepare('PRAGMA user_version').get() as {
      user_version: number;
    };
    if (version > migrations.length) {
      throw new Error(
        `the store is of version ${version}; this Sluice knows versions up to ${migrations.length}`,
      );
    }
    for (const step of migrations.slice(version)) database.exec(step);
    database.exec(`PRAGMA user_version = ${migrations.length}`);
  });
}

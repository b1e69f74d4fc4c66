import type Libsql from 'libsql';
import type { BudgetAlert, Period } from './types.js';

interface AlertRow {
  scope: string;
  period: Period;
  period_start_ms: number;
  percent: number;
  body: string;
}

/** Alerts that are due once a period and share, kept until they have been delivered. */
export class AlertTable {
  readonly #statements;

  constructor(database: Libsql.Database) {
    this.#statements = {
      insert: database.prepare('INSERT OR IGNORE INTO alerts VALUES (?, ?, ?, ?, ?, NULL)'),
      delivered: database.prepare(
        `UPDATE alerts SET delivered_ms = ?
         WHERE scope = ? AND period = ? AND period_start_ms = ? AND percent = ?`,
      ),
      undelivered: database.prepare(
        'SELECT * FROM alerts WHERE delivered_ms IS NULL AND period_start_ms >= ? LIMIT ?',
      ),
      prune: database.prepare('DELETE FROM alerts WHERE period_start_ms < ?'),
    };
  }

  /** False where it was recorded before. */
  record({ scope, period, periodStartMs, percent, body }: BudgetAlert): boolean {
    return this.#statements.insert.run(scope, period, periodStartMs, percent, body).changes > 0;
  }

  delivered({ scope, period, periodStartMs, percent }: BudgetAlert, nowMs: number): void {
    this.#statements.delivered.run(nowMs, scope, period, periodStartMs, percent);
  }

  undelivered(sinceMs: number, maxRows: number): BudgetAlert[] {
    const rows = this.#statements.undelivered.all(sinceMs, maxRows) as AlertRow[];
    return rows.map(({ scope, period, period_start_ms: periodStartMs, percent, body }) => {
      return { scope, period, periodStartMs, percent, body };
    });
  }

  prune(beforeMs: number): void {
    this.#statements.prune.run(beforeMs);
  }
}

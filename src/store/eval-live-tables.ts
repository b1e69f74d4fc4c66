import type Libsql from 'libsql';
import type { EstimateRow, EvalAlertRow, EvalSampleRow, FeedbackRow, ScorerMean } from './eval-types.js';

const SAMPLE_COLUMNS = 's.request_id AS requestId, s.tenant, s.at_ms AS atMs, s.model, s.body';

/** Evaluated live requests, feedback, and alerts about them. */
export class EvalLiveTables {
  readonly #statements;

  constructor(database: Libsql.Database) {
    this.#statements = {
      putSample: database.prepare('INSERT OR REPLACE INTO eval_samples VALUES (?, ?, ?, ?, ?)'),
      samples: database.prepare(
        `SELECT ${SAMPLE_COLUMNS} FROM eval_samples s WHERE at_ms >= ? ORDER BY at_ms DESC LIMIT ?`,
      ),
      // Samples that were taken for their users' thumbs say nothing of the others with the same estimate.
      estimates: database.prepare(
        `SELECT body ->> 'route' AS route, model, body ->> 'quality' AS estimated, body ->> 'score' AS scored
         FROM eval_samples WHERE at_ms >= ? AND route IS NOT NULL AND estimated IS NOT NULL AND scored IS NOT NULL
         AND EXISTS (SELECT 1 FROM json_each(body, '$.reasons') WHERE value IN ('share', 'low_confidence'))
         ORDER BY at_ms DESC LIMIT ?`,
      ),
      scorerMeans: database.prepare(
        `SELECT s.model, each.value ->> 'name' AS scorer, count(*) AS samples, avg(each.value ->> 'value') AS mean
         FROM (SELECT * FROM eval_samples WHERE at_ms >= ? ORDER BY at_ms DESC LIMIT ?) s, json_each(s.body, '$.scores') each
         WHERE each.value ->> 'value' IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2`,
      ),
      putFeedback: database.prepare(
        `INSERT INTO feedback VALUES (:requestId, :tenant, :keyId, :atMs, :rating, :correction, :comment)
         ON CONFLICT DO UPDATE SET at_ms = excluded.at_ms, rating = coalesce(excluded.rating, rating),
         correction = coalesce(excluded.correction, correction), comment = coalesce(excluded.comment, comment)`,
      ),
      corrected: database.prepare(
        `SELECT ${SAMPLE_COLUMNS}, f.correction FROM feedback f JOIN eval_samples s USING (request_id, tenant)
         WHERE f.correction IS NOT NULL AND f.at_ms >= ? ORDER BY f.at_ms LIMIT ?`,
      ),
      alert: database.prepare('SELECT at_ms AS atMs FROM eval_alerts WHERE subject = ?'),
      putAlert: database.prepare('INSERT OR REPLACE INTO eval_alerts VALUES (?, ?, ?, NULL)'),
      alertDelivered: database.prepare(
        'UPDATE eval_alerts SET delivered_ms = ? WHERE subject = ? AND at_ms = ?',
      ),
      undelivered: database.prepare(
        'SELECT subject, at_ms AS atMs, body FROM eval_alerts WHERE delivered_ms IS NULL AND at_ms >= ?',
      ),
      prune: ['eval_samples', 'feedback', 'eval_alerts'].map((table) =>
        database.prepare(`DELETE FROM ${table} WHERE at_ms < ?`),
      ),
    };
  }

  saveSample({ requestId, tenant, atMs, model, body }: EvalSampleRow): void {
    this.#statements.putSample.run(requestId, tenant, atMs, model, body);
  }

  /** Newest first. */
  samples(sinceMs: number, maxRows: number): EvalSampleRow[] {
    return this.#statements.samples.all(sinceMs, maxRows) as EvalSampleRow[];
  }

  estimates(sinceMs: number, maxSamples: number): EstimateRow[] {
    return this.#statements.estimates.all(sinceMs, maxSamples) as EstimateRow[];
  }

  /** Over the last samples. */
  scorerMeans(sinceMs: number, maxSamples: number): ScorerMean[] {
    return this.#statements.scorerMeans.all(sinceMs, maxSamples) as ScorerMean[];
  }

  /** What a later one leaves out stays as it was. */
  saveFeedback(row: FeedbackRow): void {
    this.#statements.putFeedback.run(row);
  }

  /** Requests of which their own tenant said what the answer should have been. */
  corrected(sinceMs: number, maxRows: number): (EvalSampleRow & { correction: string })[] {
    return this.#statements.corrected.all(sinceMs, maxRows) as (EvalSampleRow & { correction: string })[];
  }

  /** False where the subject was alerted about within `quietMs` before. */
  recordAlert({ subject, atMs, body }: EvalAlertRow, quietMs: number): boolean {
    const last = this.#statements.alert.get(subject) as { atMs: number } | undefined;
    if (last && atMs - last.atMs < quietMs) return false;
    this.#statements.putAlert.run(subject, atMs, body);
    return true;
  }

  alertDelivered({ subject, atMs }: EvalAlertRow, nowMs: number): void {
    this.#statements.alertDelivered.run(nowMs, subject, atMs);
  }

  undeliveredAlerts(sinceMs: number): EvalAlertRow[] {
    return this.#statements.undelivered.all(sinceMs) as EvalAlertRow[];
  }

  prune(beforeMs: number): void {
    for (const statement of this.#statements.prune) statement.run(beforeMs);
  }
}

import type Libsql from 'libsql';
import {
  type LedgerEntry,
  type RecentUse,
  type ReportedRequest,
  type ScopeTotals,
  scopesOf,
  type UsageColumn,
  type UsageQuery,
  type UsageRow,
} from './types.js';

const DAY_MS = 86_400_000;

/** Primary result code: in the lowest byte of the extended ones. */
const SQLITE_CONSTRAINT = 19;

/** Rows deleted in one transaction, so that pruning never holds up a settlement for long. */
const PRUNE_ROWS = 5_000;

const COLUMNS = 16;

const columnSql: Record<UsageColumn, string> = {
  key: 'key_id',
  model: 'model',
  organisation: 'organisation',
  team: 'team',
  user: 'user',
  day: "strftime('%Y-%m-%d', admitted_ms / 1000, 'unixepoch')",
  finish: 'finish_reason',
  cache: 'cache_level',
};

/** The ledger of requests, and its sums by scope and day. */
export class LedgerTables {
  readonly #database: Libsql.Database;
  readonly #statements;
  #insertMissing: Libsql.Statement | null = null;

  constructor(database: Libsql.Database) {
    this.#database = database;
    this.#statements = {
      // Values are bound by place: by name, each row would take three times as long.
      insert: database.prepare(`INSERT INTO ledger VALUES (${Array(COLUMNS).fill('?').join(', ')})`),
      addTotal: database.prepare(
        `INSERT INTO totals VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET requests = requests + excluded.requests, tokens = tokens + excluded.tokens,
         nanodollars = nanodollars + excluded.nanodollars`,
      ),
      totals: database.prepare(
        `SELECT scope,
           sum(CASE WHEN day >= :day THEN requests ELSE 0 END) AS requestsOfDay,
           sum(CASE WHEN day >= :day THEN tokens ELSE 0 END) AS tokensOfDay,
           sum(CASE WHEN day >= :day THEN nanodollars ELSE 0 END) AS nanodollarsOfDay,
           sum(CASE WHEN day >= :week THEN nanodollars ELSE 0 END) AS nanodollarsOfWeek,
           sum(CASE WHEN day >= :month THEN nanodollars ELSE 0 END) AS nanodollarsOfMonth
         FROM totals WHERE day >= min(:week, :month) GROUP BY scope`,
      ),
      recent: database.prepare(
        `SELECT key_id AS keyId, organisation, team, user, admitted_ms / 1000 * 1000 + 999 AS atMs, count(*) AS requests,
           sum(input_tokens + output_tokens) AS tokens
         FROM ledger WHERE admitted_ms >= ? GROUP BY key_id, organisation, team, user, admitted_ms / 1000`,
      ),
      prune: database.prepare(
        'DELETE FROM ledger WHERE rowid IN (SELECT rowid FROM ledger WHERE admitted_ms < ? LIMIT ?)',
      ),
      pruneTotals: database.prepare('DELETE FROM totals WHERE day < ?'),
    };
  }

  /** To be called within a transaction. Returns how many are rows by now: not those that the table's types refuse. */
  insert(entries: readonly LedgerEntry[]): number {
    const inserted = entries.filter((entry) => this.#insert(entry));
    for (const total of totalsOf(inserted)) this.#statements.addTotal.run(total);
    return inserted.length;
  }

  /** From now on {@link appendMissing} can be used. */
  refuseRepeats(): void {
    this.#database.exec('CREATE UNIQUE INDEX IF NOT EXISTS ledger_by_id ON ledger (id)');
    this.#insertMissing = this.#database.prepare(
      `INSERT OR IGNORE INTO ledger VALUES (${Array(COLUMNS).fill('?').join(', ')})`,
    );
  }

  /** Entries that may have been appended before. Part of a transaction. */
  appendMissing(entries: readonly LedgerEntry[]): void {
    const missing = entries.filter((entry) => this.#insertMissing!.run(rowOf(entry)).changes > 0);
    for (const total of totalsOf(missing)) this.#statements.addTotal.run(total);
  }

  /** `starts` are those of the periods, as milliseconds since 1970. */
  totals(starts: { dayMs: number; weekMs: number; monthMs: number }): ScopeTotals[] {
    const day = (ms: number) => Math.floor(ms / DAY_MS);
    const { dayMs, weekMs, monthMs } = starts;
    const rows = this.#statements.totals.all({ day: day(dayMs), week: day(weekMs), month: day(monthMs) });
    return rows as ScopeTotals[];
  }

  recentUse(sinceMs: number): RecentUse[] {
    const rows = this.#statements.recent.all(sinceMs) as (Parameters<typeof scopesOf>[0] &
      Omit<RecentUse, 'scope'>)[];
    return rows.flatMap(({ atMs, requests, tokens, ...owner }) =>
      scopesOf(owner).map((scope) => ({ scope, atMs, requests, tokens })),
    );
  }

  usage({ by, sinceMs, untilMs, maxRows }: UsageQuery): UsageRow[] {
    const groups = by.map((column) => `${columnSql[column]} AS "${column}"`);
    const grouping = by.length === 0 ? '' : `GROUP BY ${by.map((_, index) => index + 1).join(', ')}`;
    const rows = this.#database
      .prepare(
        `SELECT ${[...groups, ''].join(', ')} count(*) AS requests, coalesce(sum(input_tokens), 0) AS inputTokens,
           coalesce(sum(output_tokens), 0) AS outputTokens, coalesce(sum(cached_tokens), 0) AS cachedTokens,
           coalesce(sum(nanodollars), 0) AS nanodollars, coalesce(avg(latency_ms), 0) AS meanLatencyMs
         FROM ledger WHERE admitted_ms >= ? AND admitted_ms < ? ${grouping} ORDER BY nanodollars DESC LIMIT ?`,
      )
      .all(sinceMs, untilMs, maxRows) as (Omit<UsageRow, 'group'> & Record<UsageColumn, string | null>)[];
    return rows.map((row) => ({
      group: Object.fromEntries(by.map((column) => [column, row[column]])),
      requests: row.requests,
      inputTokens: row.inputTokens,
      outputTokens: row.outputTokens,
      cachedTokens: row.cachedTokens,
      nanodollars: row.nanodollars,
      meanLatencyMs: Math.round(row.meanLatencyMs),
    }));
  }

  /** The newest first. */
  requests(query: Omit<UsageQuery, 'by'>): ReportedRequest[] {
    return this.#database
      .prepare(
        `SELECT id, admitted_ms AS admittedAtMs, ledger.key_id AS keyId, organisation, team, user, model,
           input_tokens AS inputTokens, output_tokens AS outputTokens, cached_tokens AS cachedTokens, nanodollars,
           price_source AS priceSource, latency_ms AS latencyMs, cache_level AS cacheLevel,
           guard_result AS guardResult, finish_reason AS finishReason, rating, correction, comment
         FROM ledger LEFT JOIN feedback ON request_id = id AND tenant = organisation
         WHERE admitted_ms >= ? AND admitted_ms < ? ORDER BY admitted_ms DESC LIMIT ?`,
      )
      .all(query.sinceMs, query.untilMs, query.maxRows) as ReportedRequest[];
  }

  /** Deletes some of what is older; true where there may be more. */
  prune(beforeMs: number): boolean {
    const { changes } = this.#statements.prune.run(beforeMs, PRUNE_ROWS);
    if (changes === PRUNE_ROWS) return true;
    this.#statements.pruneTotals.run(Math.floor(beforeMs / DAY_MS));
    return false;
  }

  #insert(entry: LedgerEntry): boolean {
    try {
      this.#statements.insert.run(rowOf(entry));
      return true;
    } catch (error) {
      const { rawCode = 0 } = error as { rawCode?: number };
      if ((rawCode & 0xff) === SQLITE_CONSTRAINT) return false;
      throw error;
    }
  }
}

/** In the order of the table's columns. */
function rowOf(entry: LedgerEntry): (string | number | null)[] {
  return [
    entry.id,
    entry.admittedAtMs,
    entry.keyId,
    entry.organisation,
    entry.team,
    entry.user,
    entry.model,
    entry.inputTokens,
    entry.outputTokens,
    entry.cachedTokens,
    entry.nanodollars,
    entry.priceSource,
    entry.latencyMs,
    entry.cacheLevel,
    entry.guardResult,
    entry.finishReason,
  ];
}

/** In the order of the table's columns. Entries of one batch share most of their scopes, and so few rows are written. */
function totalsOf(entries: readonly LedgerEntry[]): Iterable<[string, number, number, number, number]> {
  const totals = new Map<string, [string, number, number, number, number]>();
  for (const entry of entries) {
    const day = Math.floor(entry.admittedAtMs / DAY_MS);
    for (const scope of scopesOf(entry)) {
      const key = `${day} ${scope}`;
      const total = totals.get(key) ?? [scope, day, 0, 0, 0];
      total[2] += 1;
      total[3] += entry.inputTokens + entry.outputTokens;
      total[4] += entry.nanodollars;
      totals.set(key, total);
    }
  }
  return totals.values();
}

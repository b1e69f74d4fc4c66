import type { z } from 'zod';
import type { ReportedRequest, UsageQuery, UsageRow } from '../../store/types.js';
import { dollars } from '../../support/money.js';
import type { UsageQueryWire, usageList } from '../schemas/admin.js';
import { isoTime } from './wire.js';

const DEFAULT_SPAN_MS = 30 * 86_400_000;
const DEFAULT_ROWS = 1000;
const defaultGrouping: UsageQuery['by'] = ['key', 'model'];

type Cell = string | number | null;

/** The store's reports, whether they come at once (a command) or later (a server). */
export interface UsageSource {
  usage(query: UsageQuery): UsageRow[] | Promise<UsageRow[]>;
  requests(query: Omit<UsageQuery, 'by'>): ReportedRequest[] | Promise<ReportedRequest[]>;
}

export async function usageReport(
  source: UsageSource,
  wire: UsageQueryWire,
  nowMs: number,
): Promise<z.output<typeof usageList>> {
  const untilMs = wire.until === undefined ? nowMs + 1 : Date.parse(wire.until);
  const sinceMs = wire.since === undefined ? untilMs - DEFAULT_SPAN_MS : Date.parse(wire.since);
  const span = { sinceMs, untilMs, maxRows: wire.limit ?? DEFAULT_ROWS };
  const by = wire.by ?? defaultGrouping;
  const data =
    by === 'request'
      ? (await source.requests(span)).map(requestRow)
      : (await source.usage({ by, ...span })).map(groupRow);
  return { object: 'list', since: isoTime(sinceMs), until: isoTime(untilMs), data };
}

function groupRow({ group, nanodollars, ...row }: UsageRow): Record<string, Cell> {
  return {
    ...group,
    requests: row.requests,
    input_tokens: row.inputTokens,
    output_tokens: row.outputTokens,
    cached_tokens: row.cachedTokens,
    cost: dollars(nanodollars),
    mean_latency_ms: row.meanLatencyMs,
  };
}

function requestRow(entry: ReportedRequest): Record<string, Cell> {
  return {
    id: entry.id,
    at: isoTime(entry.admittedAtMs),
    key: entry.keyId,
    organisation: entry.organisation,
    team: entry.team,
    user: entry.user,
    model: entry.model,
    input_tokens: entry.inputTokens,
    output_tokens: entry.outputTokens,
    cached_tokens: entry.cachedTokens,
    cost: dollars(entry.nanodollars),
    price: entry.priceSource,
    latency_ms: entry.latencyMs,
    cache: entry.cacheLevel,
    guard: entry.guardResult,
    finish: entry.finishReason,
    rating: entry.rating,
    correction: entry.correction,
    comment: entry.comment,
  };
}

/** RFC 4180. A cell that a spreadsheet would run as a formula gets a quote before it. */
export function csvOf(rows: readonly Record<string, Cell>[]): string {
  if (rows.length === 0) return '';
  const columns = Object.keys(rows[0] ?? {});
  const lines = rows.map((row) => columns.map((column) => csvCell(row[column] ?? null)).join(','));
  return [columns.join(','), ...lines, ''].join('\r\n');
}

/** Never "9e-7": a spreadsheet or a person expects decimals. */
export function cellText(value: Cell): string {
  if (typeof value !== 'number' || Number.isInteger(value)) return String(value ?? '');
  return value.toFixed(9).replace(/0+$/, '');
}

function csvCell(value: Cell): string {
  const text = cellText(value);
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

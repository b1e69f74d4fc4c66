import type { z } from 'zod';
import { rotateKey as issueAnotherKey, createKey as issueKey } from '../../auth/index.js';
import { SluiceError } from '../../errors.js';
import type { Office } from '../../gateway/tenancy.js';
import { periodEnd } from '../../limits/calendar.js';
import type { Standing } from '../../limits/refusal.js';
import type { Limits } from '../../store/types.js';
import { dollars } from '../../support/money.js';
import { csvOf, usageReport } from '../admin/usage.js';
import { isoTime, keyRequestOf, mergedLimits, wireIssuedKey, wireKey, wireLimits } from '../admin/wire.js';
import type { ApiContext } from '../context.js';
import type { Exchange } from '../exchange.js';
import { parse, readJson } from '../json.js';
import {
  type budgetState,
  createKeyRequest,
  rotateKeyRequest,
  setBudgetRequest,
  usageQuery,
} from '../schemas/admin.js';

/** The routes under /admin. What they change is in force here when they answer. */

export function listKeys(exchange: Exchange, api: ApiContext): void {
  const { directory, books } = officeOf(api);
  const data = directory.records().map((record) => wireKey(record, books.limitsOf(`key:${record.id}`)));
  exchange.json(200, { object: 'list', data });
}

export async function createKey(exchange: Exchange, api: ApiContext): Promise<void> {
  const wire = await readJson(exchange, api.body, createKeyRequest);
  const { keys, refresh } = officeOf(api);
  const issued = await issueKey(keys, keyRequestOf(wire), Date.now());
  await refresh();
  exchange.json(200, wireIssuedKey(issued));
}

export async function rotateKey(exchange: Exchange, api: ApiContext): Promise<void> {
  const { id, grace_seconds } = await readJson(exchange, api.body, rotateKeyRequest);
  const { keys, refresh } = officeOf(api);
  const issued = await issueAnotherKey(keys, id, (grace_seconds ?? 0) * 1000, Date.now());
  await refresh();
  exchange.json(200, wireIssuedKey(issued));
}

export async function revokeKey(exchange: Exchange, api: ApiContext, id: string): Promise<void> {
  const { keys, books, refresh } = officeOf(api);
  const record = await keys.revokeKey(id, Date.now());
  await refresh();
  exchange.json(200, wireKey(record, books.limitsOf(`key:${id}`)));
}

export async function listBudgets(exchange: Exchange, api: ApiContext): Promise<void> {
  const { books } = officeOf(api);
  const standings = await books.standings();
  const data = standings.map((standing) => stateOf(standing, books.limitsOf(standing.scope)));
  exchange.json(200, { object: 'list', data });
}

export async function setBudget(exchange: Exchange, api: ApiContext): Promise<void> {
  const { scope, ...wire } = await readJson(exchange, api.body, setBudgetRequest);
  const { keys, books, refresh } = officeOf(api);
  await keys.setLimits({ scope, limits: mergedLimits(wire, (await keys.limitsOf(scope)) ?? undefined) });
  await refresh();
  const standing = (await books.standings()).find((each) => each.scope === scope)!;
  exchange.json(200, stateOf(standing, books.limitsOf(scope)));
}

export async function usage(exchange: Exchange, api: ApiContext): Promise<void> {
  const office = officeOf(api);
  const query = parse(usageQuery, Object.fromEntries(new URLSearchParams(exchange.head.query)));
  const report = await usageReport(await office.reports(), query, Date.now());
  if (query.format === 'csv') exchange.text(200, csvOf(report.data), 'text/csv; charset=utf-8');
  else exchange.json(200, report);
}

function officeOf({ office }: ApiContext): Office {
  if (office) return office;
  throw new SluiceError('not_found', 'This server has no data folder, and so no keys.');
}

function stateOf(
  { scope, period, sinceMs, settled, reserved }: Standing,
  limits: Limits,
): z.output<typeof budgetState> {
  return {
    scope,
    limits: wireLimits(limits),
    spent: dollars(settled),
    reserved: dollars(reserved),
    resets_at: isoTime(periodEnd(period, sinceMs)),
  };
}

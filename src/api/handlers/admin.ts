import type { z } from 'zod';
import { rotateKey as issueAnotherKey, createKey as issueKey } from '../../auth/index.js';
import { SluiceError } from '../../errors.js';
import type { Office } from '../../gateway/tenancy.js';
import type { Account } from '../../limits/account.js';
import { periodEnd } from '../../limits/calendar.js';
import type { Instant } from '../../limits/window.js';
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
  const { directory, accounts } = officeOf(api);
  const data = directory.records().map((record) => wireKey(record, accounts.get(`key:${record.id}`).limits));
  exchange.json(200, { object: 'list', data });
}

export async function createKey(exchange: Exchange, api: ApiContext): Promise<void> {
  const wire = await readJson(exchange, api.body, createKeyRequest);
  const { store, refresh, now } = officeOf(api);
  const issued = await issueKey(store, keyRequestOf(wire), now().wallMs);
  await refresh();
  exchange.json(200, wireIssuedKey(issued));
}

export async function rotateKey(exchange: Exchange, api: ApiContext): Promise<void> {
  const { id, grace_seconds } = await readJson(exchange, api.body, rotateKeyRequest);
  const { store, refresh, now } = officeOf(api);
  const issued = await issueAnotherKey(store, id, (grace_seconds ?? 0) * 1000, now().wallMs);
  await refresh();
  exchange.json(200, wireIssuedKey(issued));
}

export async function revokeKey(exchange: Exchange, api: ApiContext, id: string): Promise<void> {
  const { store, accounts, refresh, now } = officeOf(api);
  const record = await store.revokeKey(id, now().wallMs);
  await refresh();
  exchange.json(200, wireKey(record, accounts.get(`key:${id}`).limits));
}

export function listBudgets(exchange: Exchange, api: ApiContext): void {
  const { accounts, now } = officeOf(api);
  const at = now();
  exchange.json(200, { object: 'list', data: Array.from(accounts.all(), (account) => stateOf(account, at)) });
}

export async function setBudget(exchange: Exchange, api: ApiContext): Promise<void> {
  const { scope, ...wire } = await readJson(exchange, api.body, setBudgetRequest);
  const { store, accounts, refresh, now } = officeOf(api);
  await store.setLimits({ scope, limits: mergedLimits(wire, (await store.limitsOf(scope)) ?? undefined) });
  await refresh();
  exchange.json(200, stateOf(accounts.get(scope), now()));
}

export async function usage(exchange: Exchange, api: ApiContext): Promise<void> {
  const office = officeOf(api);
  const query = parse(usageQuery, Object.fromEntries(new URLSearchParams(exchange.head.query)));
  const report = await usageReport(await office.reports(), query, office.now().wallMs);
  if (query.format === 'csv') exchange.text(200, csvOf(report.data), 'text/csv; charset=utf-8');
  else exchange.json(200, report);
}

function officeOf({ office }: ApiContext): Office {
  if (office) return office;
  throw new SluiceError('not_found', 'This server has no data folder, and so no keys.');
}

function stateOf(account: Account, at: Instant): z.output<typeof budgetState> {
  const period = account.limits.budget?.period ?? 'month';
  const { settled, reserved } = account.spent(period, at);
  return {
    scope: account.scope,
    limits: wireLimits(account.limits),
    spent: dollars(settled),
    reserved: dollars(reserved),
    resets_at: isoTime(periodEnd(period, at.wallMs)),
  };
}

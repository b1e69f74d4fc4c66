import type { z } from 'zod';
import type { IssuedKey, KeyRequest } from '../../auth/index.js';
import { type Budget, type KeyRecord, type Limits, noLimits, type Period } from '../../store/types.js';
import { dollars, nanodollars } from '../../support/money.js';
import type {
  CreateKeyRequest,
  issuedKey as issuedSchema,
  key as keySchema,
  limits as limitsSchema,
  SetBudgetRequest,
} from '../schemas/admin.js';

/** Keys and limits between the wire's names (routes and command line) and the gateway's. */

/** Of a key for which nothing is said. */
const DEFAULT_BUDGET: Budget = { nanodollars: nanodollars(100), period: 'month' };

type LimitFields = Pick<
  SetBudgetRequest,
  'rpm' | 'tpm' | 'rpd' | 'tpd' | 'concurrency' | 'budget' | 'period'
>;

export function keyRequestOf(wire: CreateKeyRequest): KeyRequest {
  return {
    name: wire.name,
    organisation: wire.organisation ?? 'default',
    team: wire.team ?? null,
    user: wire.user ?? null,
    isAdmin: wire.admin ?? false,
    models: wire.models ?? null,
    guardProfile: wire.guard_profile ?? null,
    expiresAtMs: wire.expires_at === undefined ? null : Date.parse(wire.expires_at),
    limits: mergedLimits(wire, { ...noLimits, budget: DEFAULT_BUDGET }),
  };
}

/** What the wire says, and for the rest what there was. */
export function mergedLimits(wire: LimitFields, before: Limits = noLimits): Limits {
  const said = <T>(value: T | undefined, otherwise: T) => (value === undefined ? otherwise : value);
  return {
    requestsPerMinute: said(wire.rpm, before.requestsPerMinute),
    tokensPerMinute: said(wire.tpm, before.tokensPerMinute),
    requestsPerDay: said(wire.rpd, before.requestsPerDay),
    tokensPerDay: said(wire.tpd, before.tokensPerDay),
    concurrency: said(wire.concurrency, before.concurrency),
    budget: mergedBudget(wire, before.budget),
  };
}

function mergedBudget({ budget, period }: LimitFields, before: Budget | null): Budget | null {
  if (budget === null) return null;
  const amount = budget === undefined ? before?.nanodollars : nanodollars(budget);
  if (amount === undefined) return null;
  const kept: Period = period ?? before?.period ?? 'month';
  return { nanodollars: amount, period: kept };
}

export function wireLimits(limits: Limits): z.output<typeof limitsSchema> {
  return {
    rpm: limits.requestsPerMinute,
    tpm: limits.tokensPerMinute,
    rpd: limits.requestsPerDay,
    tpd: limits.tokensPerDay,
    concurrency: limits.concurrency,
    budget: limits.budget && dollars(limits.budget.nanodollars),
    period: limits.budget?.period ?? null,
  };
}

export function wireKey(record: KeyRecord, limits: Limits | null): z.output<typeof keySchema> {
  return {
    id: record.id,
    name: record.name,
    organisation: record.organisation,
    team: record.team,
    user: record.user,
    admin: record.isAdmin,
    models: record.models,
    guard_profile: record.guardProfile,
    created_at: isoTime(record.createdAtMs),
    expires_at: record.expiresAtMs === null ? null : isoTime(record.expiresAtMs),
    revoked_at: record.revokedAtMs === null ? null : isoTime(record.revokedAtMs),
    limits: wireLimits(limits ?? noLimits),
  };
}

export function wireIssuedKey({ key, record, limits }: IssuedKey): z.output<typeof issuedSchema> {
  const { id, ...rest } = wireKey(record, limits);
  return { id, key, ...rest };
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

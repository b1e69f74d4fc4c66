import { z } from 'zod';
import { type UsageColumn, usageColumns } from '../../store/types.js';
import { MAX_DOLLARS } from '../../support/money.js';
import { optional } from './common.js';

const MAX_KEYS_LISTED_NAMES = 100;
const YEAR_SECONDS = 366 * 86_400;

const name = z.string().regex(/^[\w.@+-]{1,64}$/, 'expected 1 to 64 letters, digits, or any of _ . @ + -');
const keyId = z.string().regex(/^[0-9a-f]{16}$/, 'expected the id of a key, 16 hexadecimal digits');
const count = z.int().min(1).max(1e12);
const period = z.enum(['day', 'week', 'month']);
const budget = z.number().min(0).max(MAX_DOLLARS);

/** Null: no limit. */
const limitFields = {
  rpm: count.nullable().optional().describe('requests per minute'),
  tpm: count.nullable().optional().describe('tokens per minute, prompt and answer'),
  rpd: count.nullable().optional().describe('requests per day of UTC'),
  tpd: count.nullable().optional().describe('tokens per day of UTC'),
  concurrency: count.nullable().optional().describe('requests running at once'),
  budget: budget.nullable().optional().describe('dollars per period; null: none'),
  period: period.optional().describe('when the budget begins anew: day, week (Monday) or month of UTC'),
};

export const createKeyRequest = z.strictObject({
  name: z.string().trim().min(1).max(128).describe('for people'),
  organisation: optional(name.describe('the tenant; "default" if absent')),
  team: optional(name),
  user: optional(name),
  admin: optional(z.boolean().describe('may use the admin routes')),
  models: optional(
    z.array(z.string().min(1).max(256)).min(1).max(MAX_KEYS_LISTED_NAMES).describe('all if absent'),
  ),
  guard_profile: optional(name),
  expires_at: optional(
    z.iso
      .datetime({ offset: true, error: 'expected a time such as 2027-01-31T00:00:00Z' })
      .describe('never if absent'),
  ),
  ...limitFields,
});

export type CreateKeyRequest = z.output<typeof createKeyRequest>;

export const rotateKeyRequest = z.strictObject({
  id: keyId,
  grace_seconds: optional(
    z.int().min(0).max(YEAR_SECONDS).describe('how long the key before stays good; 0 if absent'),
  ),
});

export const limits = z.object({
  rpm: z.int().nullable(),
  tpm: z.int().nullable(),
  rpd: z.int().nullable(),
  tpd: z.int().nullable(),
  concurrency: z.int().nullable(),
  budget: z.number().nullable().describe('dollars'),
  period: period.nullable(),
});

export const key = z.object({
  id: z.string(),
  name: z.string(),
  organisation: z.string(),
  team: z.string().nullable(),
  user: z.string().nullable(),
  admin: z.boolean(),
  models: z.array(z.string()).nullable(),
  guard_profile: z.string().nullable(),
  created_at: z.string(),
  expires_at: z.string().nullable(),
  revoked_at: z.string().nullable(),
  limits,
});

export const issuedKey = key.extend({ key: z.string().describe('shown this once') });

export const keyList = z.object({ object: z.literal('list'), data: z.array(key) });

const scope = z
  .string()
  .regex(
    /^(?:key:[0-9a-f]{16}|organisation:[\w.@+-]{1,64}|(?:team|user):[\w.@+-]{1,64}\/[\w.@+-]{1,64})$/,
    'expected key:ID, organisation:NAME, team:ORGANISATION/NAME or user:ORGANISATION/NAME',
  );

/** What isn't named stays as it is. */
export const setBudgetRequest = z.strictObject({ scope, ...limitFields });

export type SetBudgetRequest = z.output<typeof setBudgetRequest>;

export const budgetState = z.object({
  scope: z.string(),
  limits,
  spent: z.number().describe('dollars in the current period, of the month where there is no budget'),
  reserved: z.number().describe('dollars that running requests may still cost'),
  resets_at: z.string(),
});

export const budgetList = z.object({ object: z.literal('list'), data: z.array(budgetState) });

const moment = z
  .string()
  .refine(
    (text) => /^\d{4}-\d\d-\d\d(T.+(Z|[+-]\d\d:\d\d))?$/.test(text) && !Number.isNaN(Date.parse(text)),
    'expected a date or time such as 2026-01-31 or 2026-01-31T12:00:00Z',
  );

const grouping = z.string().transform((text, context): UsageColumn[] | 'request' => {
  if (text === 'request') return text;
  const columns = text.split(',');
  const unknown = columns.find((column) => !usageColumns.some((known) => known === column));
  if (unknown === undefined) return [...new Set(columns as UsageColumn[])];
  context.addIssue({
    code: 'custom',
    message: `there is no ${JSON.stringify(unknown)}; expected "request", or any of ${usageColumns.join(', ')}`,
  });
  return z.NEVER;
});

/** Of the query string, or of the command line. */
export const usageQuery = z.strictObject({
  by: optional(grouping),
  since: optional(moment.describe('30 days ago if absent')),
  until: optional(moment),
  limit: optional(z.coerce.number().int().min(1).max(100_000)),
  format: optional(z.enum(['json', 'csv'])),
});

export type UsageQueryWire = z.output<typeof usageQuery>;

export const usageList = z.object({
  object: z.literal('list'),
  since: z.string(),
  until: z.string(),
  data: z.array(z.record(z.string(), z.union([z.string(), z.number(), z.null()]))),
});

/** What the store keeps, as the rest of the gateway sees it. Times are milliseconds since 1970, money is nanodollars. */

export type Period = 'day' | 'week' | 'month';

export interface Budget {
  nanodollars: number;
  period: Period; // of the calendar, in UTC; weeks begin on Monday
}

/** What a scope may use. Null: no limit. */
export interface Limits {
  requestsPerMinute: number | null;
  tokensPerMinute: number | null;
  requestsPerDay: number | null;
  tokensPerDay: number | null;
  concurrency: number | null; // requests running at once
  budget: Budget | null;
}

export const noLimits: Limits = {
  requestsPerMinute: null,
  tokensPerMinute: null,
  requestsPerDay: null,
  tokensPerDay: null,
  concurrency: null,
  budget: null,
};

/** A key as it is stored: its secret only as a hash. Never deleted, since the ledger names it. */
export interface KeyRecord {
  id: string;
  name: string;
  hash: string; // SHA-256 of the whole key, hexadecimal
  previousHash: string | null; // the key before the last rotation
  previousUntilMs: number | null;
  organisation: string;
  team: string | null;
  user: string | null;
  isAdmin: boolean;
  models: string[] | null; // null: all
  guardProfile: string | null;
  createdAtMs: number;
  expiresAtMs: number | null;
  revokedAtMs: number | null;
}

/** Limits of a scope; see {@link scopesOf} for how scopes are written. */
export interface ScopeLimits {
  scope: string;
  limits: Limits;
}

/** Everything about keys and limits that is newer than a revision. */
export interface DirectoryChange {
  revision: number;
  keys: KeyRecord[];
  limits: ScopeLimits[];
}

/** Where a request's price came from: the table, the notional price of local models, or the default of unknown ones. */
export type PriceSource = 'table' | 'local' | 'default';

/** One request that was admitted, written when it has ended. */
export interface LedgerEntry {
  id: string;
  admittedAtMs: number;
  keyId: string;
  organisation: string;
  team: string | null;
  user: string | null;
  model: string | null; // null: it failed before its model was known
  inputTokens: number;
  outputTokens: number;
  cachedTokens: number; // part of the input
  nanodollars: number;
  priceSource: PriceSource | null;
  latencyMs: number;
  cacheLevel: string | null;
  guardResult: string | null;
  finishReason: string; // or the code of the error that ended it
}

/** With what its user said of it. */
export interface ReportedRequest extends LedgerEntry {
  rating: number | null; // 0 (bad) to 1 (good)
  correction: string | null;
  comment: string | null;
}

/** How far a gateway of a cluster has read the shared ledger. */
export interface HandOff {
  reader: string; // names this ledger among those of the other gateways
  positions: Map<number, string>; // by shard
}

/** What a scope has used in the periods that a moment lies in. */
export interface ScopeTotals {
  scope: string;
  requestsOfDay: number;
  tokensOfDay: number;
  nanodollarsOfDay: number;
  nanodollarsOfWeek: number;
  nanodollarsOfMonth: number;
}

/** What a scope has used in one second. */
export interface RecentUse {
  scope: string;
  atMs: number; // the second's end, so that nothing is taken for older than it is
  requests: number;
  tokens: number;
}

export interface BudgetAlert {
  scope: string;
  period: Period;
  periodStartMs: number;
  percent: number;
  body: string; // JSON, as it is sent
}

export const usageColumns = [
  'key',
  'model',
  'organisation',
  'team',
  'user',
  'day',
  'finish',
  'cache',
] as const;
export type UsageColumn = (typeof usageColumns)[number];

export interface UsageQuery {
  by: UsageColumn[];
  sinceMs: number;
  untilMs: number;
  maxRows: number;
}

export interface UsageRow {
  group: Record<string, string | null>;
  requests: number;
  inputTokens: number;
  outputTokens: number;
  cachedTokens: number;
  nanodollars: number;
  meanLatencyMs: number;
}

/** Names of the scopes that a key's requests count for, from the narrowest to the widest. */
export function scopesOf(owner: {
  keyId: string;
  organisation: string;
  team: string | null;
  user: string | null;
}): string[] {
  const { keyId, organisation, team, user } = owner;
  return [
    `key:${keyId}`,
    ...(user === null ? [] : [`user:${organisation}/${user}`]),
    ...(team === null ? [] : [`team:${organisation}/${team}`]),
    `organisation:${organisation}`,
  ];
}

/** The organisation in a scope's name; null for a key, whose name doesn't say it. */
export function organisationOf(scope: string): string | null {
  const [kind, name = ''] = scope.split(':');
  return kind === 'key' ? null : name.split('/')[0]!;
}

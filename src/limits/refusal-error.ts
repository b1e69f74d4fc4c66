import { SluiceError } from '../errors.js';
import { formatDollars } from '../support/money.js';
import type { Amounts } from './account.js';
import { quotaHeaders } from './quota-headers.js';
import type { BoundUse, Refusal } from './refusal.js';

/** Nobody knows when a running request ends; most do within some seconds. */
const BUSY_RETRY_SECONDS = 1;

/** What the client is told: 402 for money, 429 for what comes back by itself, 400 for what can never fit. */
export function refusalError({ bounds, quota, busy, waitMs }: Refusal, amounts: Amounts): SluiceError {
  const headers = quotaHeaders(quota);
  const retryAfterSeconds = Number.isFinite(waitMs) ? Math.ceil(waitMs / 1000) : null;
  const budget = bounds.find(({ unit }) => unit === 'nanodollars');
  if (budget) {
    return new SluiceError('insufficient_quota', budgetMessage(budget, amounts), {
      retryAfterSeconds,
      headers,
    });
  }
  const impossible = bounds.find(({ unit, limit }) => amounts[unit] > limit);
  if (impossible) {
    const message = `This request may take ${amounts[impossible.unit]} ${nameOf(impossible)}, and ${limitOf(impossible)}.`;
    return new SluiceError(
      'request_too_large',
      `${message} Ask for a smaller max_tokens or a shorter prompt.`,
      {
        param: 'max_tokens',
        headers,
      },
    );
  }
  const first = bounds[0];
  if (!first) {
    const { scope, concurrency } = busy[0]!;
    const message = `As many requests of this ${kindOf(scope)} run as may at once: ${concurrency}.`;
    return new SluiceError('rate_limit_exceeded', message, {
      retryAfterSeconds: BUSY_RETRY_SECONDS,
      headers,
    });
  }
  const used = `${first.used} of it used, ${amounts[first.unit]} more asked for`;
  return new SluiceError(
    'rate_limit_exceeded',
    `Rate limit reached on ${nameOf(first)}: ${limitOf(first)}, ${used}. Try again in ${retryAfterSeconds} s.`,
    { retryAfterSeconds, headers },
  );
}

function budgetMessage({ scope, span, limit, used }: BoundUse, amounts: Amounts): string {
  const asked = formatDollars(amounts.nanodollars);
  return `The budget of this ${kindOf(scope)} is ${formatDollars(limit)} a ${span}; ${formatDollars(used)} are spent or reserved, and this request may cost up to ${asked}.`;
}

function nameOf({ unit, span }: BoundUse): string {
  return `${unit} per ${span}`;
}

function limitOf({ scope, limit }: BoundUse): string {
  return `this ${kindOf(scope)}'s limit is ${limit}`;
}

function kindOf(scope: string): string {
  return scope.slice(0, scope.indexOf(':'));
}

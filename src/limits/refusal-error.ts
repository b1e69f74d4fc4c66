import { SluiceError } from '../errors.js';
import { formatDollars } from '../support/money.js';
import type { Amounts, Bound } from './account.js';
import type { Refusal } from './reservation.js';
import type { Instant } from './window.js';

/** Nobody knows when a running request ends; most do within some seconds. */
const BUSY_RETRY_SECONDS = 1;

/** What the client is told: 402 for money, 429 for what comes back by itself, 400 for what can never fit. */
export function refusalError(
  refusal: Refusal,
  amounts: Amounts,
  headers: Record<string, string>,
  now: Instant,
): SluiceError {
  const { bounds, busy, waitMs } = refusal;
  const retryAfterSeconds = Number.isFinite(waitMs) ? Math.ceil(waitMs / 1000) : null;
  const budget = bounds.find(({ unit }) => unit === 'nanodollars');
  if (budget) {
    return new SluiceError('insufficient_quota', budgetMessage(budget, amounts, now), {
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
    const scope = kindOf(busy[0]!.scope);
    const message = `${busy[0]!.limits.concurrency} requests of this ${scope} run already, as many as may at once.`;
    return new SluiceError('rate_limit_exceeded', message, {
      retryAfterSeconds: BUSY_RETRY_SECONDS,
      headers,
    });
  }
  const used = `${first.window.used(now)} are used and ${amounts[first.unit]} more were asked for`;
  return new SluiceError(
    'rate_limit_exceeded',
    `Rate limit reached on ${nameOf(first)}: ${limitOf(first)}, ${used}. Try again in ${retryAfterSeconds} s.`,
    { retryAfterSeconds, headers },
  );
}

function budgetMessage({ scope, span, limit, window }: Bound, amounts: Amounts, now: Instant): string {
  const spent = formatDollars(window.used(now));
  const asked = formatDollars(amounts.nanodollars);
  return `The budget of this ${kindOf(scope)} is ${formatDollars(limit)} a ${span}; ${spent} are spent or reserved, and this request may cost up to ${asked}.`;
}

function nameOf({ unit, span }: Bound): string {
  return `${unit} per ${span}`;
}

function limitOf({ scope, limit }: Bound): string {
  return `this ${kindOf(scope)}'s limit is ${limit}`;
}

function kindOf(scope: string): string {
  return scope.slice(0, scope.indexOf(':'));
}

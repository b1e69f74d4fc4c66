import type { BoundUse } from './refusal.js';

const names = {
  requests: {
    limit: 'x-ratelimit-limit-requests',
    remaining: 'x-ratelimit-remaining-requests',
    reset: 'x-ratelimit-reset-requests',
  },
  tokens: {
    limit: 'x-ratelimit-limit-tokens',
    remaining: 'x-ratelimit-remaining-tokens',
    reset: 'x-ratelimit-reset-tokens',
  },
} as const;

/**
 * OpenAI's x-ratelimit-* headers. Of all limits on requests, and of all on tokens, the one with the least left is shown:
 * it is the one that the caller meets first.
 */
export function quotaHeaders(bounds: readonly BoundUse[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const unit of ['requests', 'tokens'] as const) {
    const tightest = tightestOf(bounds, unit);
    if (!tightest) continue;
    headers[names[unit].limit] = String(tightest.limit);
    headers[names[unit].remaining] = String(remainingOf(tightest));
    headers[names[unit].reset] = duration(tightest.resetMs);
  }
  return headers;
}

function tightestOf(bounds: readonly BoundUse[], unit: BoundUse['unit']): BoundUse | null {
  let tightest: BoundUse | null = null;
  for (const bound of bounds) {
    if (bound.unit !== unit) continue;
    if (!tightest || remainingOf(bound) < remainingOf(tightest)) tightest = bound;
  }
  return tightest;
}

function remainingOf({ limit, used }: BoundUse): number {
  return Math.max(0, limit - used);
}

/** As OpenAI writes it: "20ms", "6m0s", "23h59m58s". */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.ceil(ms)}ms`;
  const seconds = Math.ceil(ms / 1000);
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  return `${hours > 0 ? `${hours}h` : ''}${seconds >= 60 ? `${minutes}m` : ''}${seconds % 60}s`;
}

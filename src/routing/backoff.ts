export interface BackoffConfig {
  baseMs: number;
  maxMs: number;
}

/**
 * Time before the retry number `attempt` (from 0): "full jitter", uniform up to a bound that doubles, since clients that
 * failed together would otherwise come back together. What the server asks for (`retryAfterMs`) is waited for at least; null
 * where that is longer than the bound, so that trying another is better.
 */
export function backoffMs(
  attempt: number,
  config: BackoffConfig,
  random: () => number,
  retryAfterMs: number | null = null,
): number | null {
  if (retryAfterMs !== null && retryAfterMs > config.maxMs) return null;
  const bound = Math.min(config.maxMs, config.baseMs * 2 ** attempt);
  return Math.max(retryAfterMs ?? 0, bound * random());
}

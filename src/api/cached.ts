import type { CacheLevel, CacheReport } from '../generation/types.js';

/** As `x-sluice-cache` says it. */
export function cacheStatus({ level }: CacheReport): `hit-${CacheLevel}` | 'miss' {
  return level === null ? 'miss' : `hit-${level}`;
}

export function cacheHeaders(report: CacheReport | undefined): Record<string, string> {
  if (!report) return {};
  return {
    'x-sluice-cache': cacheStatus(report),
    'x-sluice-cache-key': report.key,
    ...(report.level === null ? {} : { 'x-sluice-cache-age': String(ageSeconds(report)) }),
    ...(report.similarity === null ? {} : { 'x-sluice-cache-similarity': report.similarity.toFixed(4) }),
  };
}

/** The same in the last message of a WebSocket's answer. */
export function wireCache(report: CacheReport | undefined): object {
  if (!report) return {};
  const { key, level, similarity } = report;
  return {
    cache: {
      status: cacheStatus(report),
      key,
      ...(level === null ? {} : { age: ageSeconds(report) }),
      ...(similarity === null ? {} : { similarity }),
    },
  };
}

function ageSeconds({ ageMs }: CacheReport): number {
  return Math.floor(ageMs / 1000);
}

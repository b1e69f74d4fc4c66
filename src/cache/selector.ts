import type { CacheEntry, PurgeSelector } from './types.js';

export function selects(
  { tenant, model, key, promptPrefix }: PurgeSelector,
  entry: Pick<CacheEntry, 'tenant' | 'model' | 'key' | 'firstKey' | 'promptHead'>,
): boolean {
  return (
    (tenant === undefined || entry.tenant === tenant) &&
    (model === undefined || entry.model === model) &&
    (key === undefined || entry.key.startsWith(key) || entry.firstKey?.startsWith(key) === true) &&
    (promptPrefix === undefined || entry.promptHead.startsWith(promptPrefix))
  );
}

import type { Config } from '../config/index.js';
import type { Embedder } from '../embedding/index.js';
import { guardRevisions } from '../guards/revision.js';
import type { RedisLink } from '../redis/link.js';
import { dataDirectory } from '../store/index.js';
import { packageVersion } from '../support/version.js';
import { DiskLevel } from './disk/disk-level.js';
import type { KeyScope } from './key.js';
import { RedisLevel } from './redis/redis-level.js';
import { SemanticLevel } from './semantic/semantic-level.js';
import { SharedAnswers } from './semantic/shared-answers.js';
import { StoredAnswers } from './semantic/stored-answers.js';
import type { LowerLevel } from './types.js';

/**
 * The levels below memory that the configuration asks for, in the order to be asked; without those that can't be had, since
 * nobody needs a cache. With Redis, what would be in the data folder is there.
 */
export async function openCacheLevels(
  config: Config,
  embedder: Embedder | null,
  onFault: (error: unknown) => void,
  redis: RedisLink | null,
): Promise<LowerLevel[]> {
  const { enabled, diskEntries: maxEntries, diskBytes: maxBytes, redisEntries, redisBytes } = config.cache;
  const settings = config.semanticCache;
  if (!enabled) return [];
  const directory = dataDirectory(config.data.dir, process.env);
  const nowMs = Date.now;
  const common = { directory, nowMs, onFault };
  const opening: (() => Promise<LowerLevel>)[] = [];
  if (redis) {
    const bounds = { maxEntries: redisEntries, maxBytes: redisBytes };
    opening.push(() => RedisLevel.open(redis, { nowMs, bounds }));
  } else if (maxEntries > 0)
    opening.push(() => DiskLevel.open({ ...common, bounds: { maxEntries, maxBytes } }));
  if (settings.enabled && embedder)
    opening.push(async () => {
      const bounds = { maxEntries: settings.maxEntries, maxBytes: settings.maxBytes };
      const answers = redis
        ? await SharedAnswers.open(redis, { nowMs, bounds })
        : await StoredAnswers.open({ ...common, bounds });
      return new SemanticLevel({ answers, embedder, settings, scope: keyScopeOf(config), onFault });
    });
  const levels: LowerLevel[] = [];
  for (const open of opening) {
    try {
      levels.push(await open());
    } catch (error) {
      onFault(error);
    }
  }
  return levels;
}

export function keyScopeOf({ requests, guards }: Config): KeyScope {
  return {
    version: packageVersion(),
    defaultMaxTokens: requests.defaultMaxTokens,
    guardRevisionOf: guardRevisions(guards),
  };
}

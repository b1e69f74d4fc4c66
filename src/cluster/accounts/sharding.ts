import type { Config } from '../../config/index.js';

/** Slots that organisations are spread over in a Redis Cluster. Another number would lose what is counted. */
const CLUSTER_SHARDS = 16;

export function shardCount({ isCluster }: Config['redis']): number {
  return isCluster ? CLUSTER_SHARDS : 1;
}

/** Where an organisation's accounts lie (FNV-1a, 32 bits). */
export function shardOf(organisation: string, shards: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < organisation.length; i += 1)
    hash = Math.imul(hash ^ organisation.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % shards;
}

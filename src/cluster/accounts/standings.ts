import type { Standing } from '../../limits/refusal.js';
import { organisationOf, type ScopeLimits } from '../../store/types.js';
import { shardOf } from './sharding.js';

/** Reads the standings of scopes that lie in one shard. */
export type ReadShard = (shard: number, scopes: readonly ScopeLimits[]) => Promise<Standing[]>;

/** The standings of scopes wherever they lie. `ownerOf`: the organisation of a key; null: there is no such key. */
export async function readStandings(
  scopes: Iterable<ScopeLimits>,
  shards: number,
  ownerOf: (keyId: string) => string | null,
  read: ReadShard,
): Promise<Standing[]> {
  const byShard = Array.from({ length: shards }, (): ScopeLimits[] => []);
  for (const each of scopes) {
    const organisation = organisationOf(each.scope) ?? ownerOf(each.scope.slice('key:'.length));
    if (organisation !== null) byShard[shardOf(organisation, shards)]!.push(each);
  }
  const all = byShard.map((own, shard) => (own.length === 0 ? [] : read(shard, own)));
  return (await Promise.all(all)).flat();
}

export interface Weighted {
  name: string;
  weight: number; // ≥ 0; 0 gets nothing
}

/**
 * Members in the order in which `key` prefers them, by weighted rendezvous hashing (Thaler and Ravishankar 1998; weights
 * after Efraimidis and Spirakis 2006): the first choices of many keys are shared out by weight, a key always gets the same
 * order, and changing one weight moves keys only to or from that member. Members without weight are left out.
 */
export function rankByKey<T extends Weighted>(members: readonly T[], key: string): T[] {
  return members
    .filter(({ weight }) => weight > 0)
    .map((member) => ({ member, score: -Math.log(unitHash(`${member.name}\n${key}`)) / member.weight }))
    .sort((a, b) => a.score - b.score)
    .map(({ member }) => member);
}

/** A number in (0, 1) for a text: FNV-1a over its UTF-16 units, mixed by MurmurHash3's finaliser. Not for secrets. */
export function unitHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  hash = (hash ^ (hash >>> 16)) >>> 0;
  return (hash + 0.5) / 2 ** 32;
}

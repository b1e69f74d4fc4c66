import type { RadixCache } from './radix.js';
import type { RadixNode } from './radix-tree.js';

interface Session {
  tail: RadixNode;
  tokens: number;
}

/**
 * Conversations whose KV is kept: session → locked path of the prefix cache, least recently used first out once
 * all of them together hold more than `maxTokens`. A Map keeps insertion order, which here is order of use.
 */
export class Sessions {
  private readonly sessions = new Map<string, Session>();
  private tokens = 0;

  constructor(
    private readonly cache: RadixCache,
    private readonly maxTokens: number,
  ) {}

  get size(): number {
    return this.sessions.size;
  }

  /** Tokens of all sessions; shared ones count once for each. */
  get heldTokens(): number {
    return this.tokens;
  }

  /** Where the kept paths end. */
  tails(): RadixNode[] {
    return Array.from(this.sessions.values(), ({ tail }) => tail);
  }

  /** The session now ends at `tail`, a path that the caller has locked. O(path), as its old path is let go. */
  keep(tenant: string, id: string, tail: RadixNode, tokens: number): void {
    const key = keyOf(tenant, id);
    this.drop(key);
    if (tokens === 0 || tokens > this.maxTokens) return;
    this.cache.keep(tail);
    this.sessions.set(key, { tail, tokens });
    this.tokens += tokens;
    while (this.tokens > this.maxTokens) this.dropOldest();
  }

  /** Lets the least recently used session go. False where there is none. */
  dropOldest(): boolean {
    for (const key of this.sessions.keys()) return this.drop(key);
    return false;
  }

  private drop(key: string): boolean {
    const session = this.sessions.get(key);
    if (session === undefined) return false;
    this.sessions.delete(key);
    this.tokens -= session.tokens;
    this.cache.letGo(session.tail);
    return true;
  }
}

/** The length makes the pair unambiguous whatever characters the two contain. */
function keyOf(tenant: string, id: string): string {
  return `${tenant.length}:${tenant}${id}`;
}

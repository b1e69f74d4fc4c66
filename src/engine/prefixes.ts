import type { RadixCache } from './radix.js';
import type { RadixNode } from './radix-tree.js';
import type { PinnedPrefix } from './types.js';

interface Pin {
  prefix: PinnedPrefix;
  tail: RadixNode;
}

/** Pinned prefixes (`/v1/prefixes`): paths of the prefix cache that are never evicted until they are unpinned. */
export class PinnedPrefixes {
  private readonly tenants = new Map<string, Map<string, Pin>>();
  private readonly byTail = new Map<RadixNode, Pin[]>();

  constructor(private readonly cache: RadixCache) {}

  get size(): number {
    let count = 0;
    for (const pins of this.tenants.values()) count += pins.size;
    return count;
  }

  has(tenant: string, id: string): boolean {
    return this.tenants.get(tenant)?.has(id) ?? false;
  }

  /** Pins a locked path. The id must be new to the tenant. */
  add(prefix: PinnedPrefix, tail: RadixNode): void {
    const pin = { prefix, tail };
    const pins = this.tenants.get(prefix.tenant) ?? new Map<string, Pin>();
    this.tenants.set(prefix.tenant, pins.set(prefix.id, pin));
    this.byTail.set(tail, [...(this.byTail.get(tail) ?? []), pin]);
    this.cache.pin(tail);
  }

  /** False where the tenant has no such prefix. */
  remove(tenant: string, id: string): boolean {
    const pins = this.tenants.get(tenant);
    const pin = pins?.get(id);
    if (pins === undefined || pin === undefined) return false;
    pins.delete(id);
    if (pins.size === 0) this.tenants.delete(tenant);
    const left = this.byTail.get(pin.tail)!.filter((other) => other !== pin);
    if (left.length === 0) this.byTail.delete(pin.tail);
    else this.byTail.set(pin.tail, left);
    this.cache.unpin(pin.tail);
    return true;
  }

  list(tenant: string): PinnedPrefix[] {
    return Array.from(this.tenants.get(tenant)?.values() ?? [], (pin) => ({ ...pin.prefix }));
  }

  /** A request reads the path to `tail`: every prefix pinned along it is hit. O(nodes on the path). */
  countHits(tail: RadixNode): void {
    if (this.byTail.size === 0) return;
    for (let node: RadixNode | null = tail; node !== null; node = node.parent) {
      if (node.parent === null) return; // the root holds no page
      for (const pin of this.byTail.get(node) ?? []) pin.prefix.hits++;
    }
  }
}

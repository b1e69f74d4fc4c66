import { createHash } from 'node:crypto';
import type { RadixNode } from '../radix-tree.js';
import type { Sequence } from '../sequence.js';

/**
 * Names of pages outside the pool. A page's key is the hash of the key before it and its own tokens, so it stands for
 * all tokens up to its end; the first of a chain holds what else the contents depend on: model, types, tenant.
 */
export class PageKeys {
  private readonly roots = new Map<string, string>();

  /** `salt`: whatever makes pages of equal tokens differ between servers, beside the tenant. */
  constructor(
    private readonly salt: string,
    private readonly pageSize: number,
  ) {}

  /** Key of page `index` of a node of the prefix cache. O(1) amortised: a node remembers its keys. */
  ofNode(node: RadixNode, index: number): string {
    const { keys } = node;
    while (keys.length <= index) {
      const before = keys.at(-1) ?? this.before(node);
      keys.push(this.next(before, node.tokens, keys.length * this.pageSize));
    }
    return keys[index]!;
  }

  /** Key of page `index` of a sequence, which remembers its keys too. */
  ofSequence(sequence: Sequence, index: number): string {
    const keys = sequence.pageKeys;
    while (keys.length <= index) {
      const before = keys.at(-1) ?? this.root(sequence.tenant);
      keys.push(this.next(before, sequence.tokens, keys.length * this.pageSize));
    }
    return keys[index]!;
  }

  private before({ parent, tenant }: RadixNode): string {
    if (parent === null || parent.parent === null) return this.root(tenant);
    return this.ofNode(parent, parent.pages.length - 1);
  }

  private root(tenant: string): string {
    let root = this.roots.get(tenant);
    if (root === undefined) {
      root = createHash('sha256').update(`${this.salt.length}:${this.salt}${tenant}`).digest('hex');
      if (this.roots.size >= maxRoots) this.roots.clear();
      this.roots.set(tenant, root);
    }
    return root;
  }

  private next(before: string, tokens: Int32Array, from: number): string {
    const page = tokens.subarray(from, from + this.pageSize);
    const bytes = new Uint8Array(page.buffer, page.byteOffset, page.byteLength);
    return createHash('sha256').update(before).update(bytes).digest('hex');
  }
}

/** Tenants whose first key is remembered: it takes two microseconds to make again. */
const maxRoots = 10_000;

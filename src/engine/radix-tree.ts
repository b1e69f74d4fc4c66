/** Hash of `size` tokens from `from` on. Only finds a child faster: the tokens themselves are always compared. */
export type PageHash = (tokens: Int32Array, from: number, size: number) => number;

export class RadixNode {
  parent: RadixNode | null;
  /** The edge from the parent. Only the first pages.length × pageSize tokens count. */
  tokens: Int32Array;
  pages: number[];
  readonly tenant: string;
  readonly children = new Map<number, RadixNode>(); // by hash of their first page
  nextSameHash: RadixNode | null = null; // another child of the same parent whose first page has the same hash
  hash = 0;
  keys: string[] = []; // of its first pages, where they have been needed
  locks = 0; // holders whose path runs through this node
  pins = 0; // of these, pinned prefixes
  pinsEnding = 0; // of these, the ones that end here
  lastUse = 0;
  heapIndex = -1;

  constructor(parent: RadixNode | null, tenant: string, tokens: Int32Array, pages: number[]) {
    this.parent = parent;
    this.tenant = tenant;
    this.tokens = tokens;
    this.pages = pages;
  }
}

/** Per tenant a radix tree whose edges hold runs of whole pages. A path from the root spells a prompt's tokens. */
export class RadixTree {
  private readonly roots = new Map<string, RadixNode>();

  constructor(
    private readonly pageSize: number,
    private readonly hashPage: PageHash = fnv1a,
  ) {}

  get tenants(): number {
    return this.roots.size;
  }

  root(tenant: string): RadixNode | undefined {
    return this.roots.get(tenant);
  }

  removeRoot(tenant: string): void {
    this.roots.delete(tenant);
  }

  rootFor(tenant: string): RadixNode {
    let root = this.roots.get(tenant);
    if (root === undefined) {
      root = new RadixNode(null, tenant, new Int32Array(0), []);
      this.roots.set(tenant, root);
    }
    return root;
  }

  /** Every node, parents before their children. */
  nodes(): RadixNode[] {
    const nodes: RadixNode[] = [];
    const visit = (node: RadixNode): void => {
      nodes.push(node);
      for (let child of node.children.values()) {
        visit(child);
        while (child.nextSameHash !== null) {
          child = child.nextSameHash;
          visit(child);
        }
      }
    };
    for (const root of this.roots.values()) visit(root);
    return nodes;
  }

  /** Visits the nodes along which tokens[0, limit) are found, each with its pages in common, while `enter` says so. Returns the pages. */
  walk(
    tenant: string,
    tokens: Int32Array,
    limit: number,
    enter: (node: RadixNode, common: number) => boolean,
  ): number {
    let at = this.roots.get(tenant);
    const end = Math.floor(limit / this.pageSize);
    let page = 0;
    while (at !== undefined && page < end) {
      const child = this.childOf(at, tokens, page);
      if (child === undefined) break;
      const common = this.commonPages(child, tokens, page, end);
      if (!enter(child, common)) break;
      page += common;
      at = common === child.pages.length ? child : undefined;
    }
    return page;
  }

  childOf(node: RadixNode, tokens: Int32Array, page: number): RadixNode | undefined {
    if (node.children.size === 0) return undefined;
    const hash = this.hashPage(tokens, page * this.pageSize, this.pageSize);
    let child = node.children.get(hash) ?? null;
    while (child !== null && !this.samePage(child, 0, tokens, page)) child = child.nextSameHash;
    return child ?? undefined;
  }

  /** Leading pages of the edge that equal tokens from `page` on, not beyond `end`. */
  commonPages(node: RadixNode, tokens: Int32Array, page: number, end: number): number {
    const most = Math.min(node.pages.length, end - page);
    let count = 1; // childOf has compared the first
    while (count < most && this.samePage(node, count, tokens, page + count)) count++;
    return count;
  }

  /** A new node for the first `count` pages of the edge, before the node that keeps the rest. */
  split(node: RadixNode, count: number): RadixNode {
    const parent = node.parent!;
    const split = count * this.pageSize;
    const head = new RadixNode(parent, node.tenant, node.tokens.slice(0, split), node.pages.slice(0, count));
    // Whoever holds the tail holds the head too. The tail keeps its identity, so holders notice nothing.
    head.locks = node.locks;
    head.pins = node.pins;
    head.lastUse = node.lastUse;
    head.keys = node.keys.slice(0, count);
    this.detach(parent, node);
    node.tokens = node.tokens.slice(split);
    node.pages = node.pages.slice(count);
    node.keys = node.keys.slice(count);
    node.parent = head;
    this.attach(parent, head);
    this.attach(head, node);
    return head;
  }

  attach(parent: RadixNode, child: RadixNode): void {
    child.hash = this.hashPage(child.tokens, 0, this.pageSize);
    child.nextSameHash = parent.children.get(child.hash) ?? null;
    parent.children.set(child.hash, child);
  }

  detach(parent: RadixNode, child: RadixNode): void {
    const first = parent.children.get(child.hash)!;
    if (first === child) {
      if (child.nextSameHash === null) parent.children.delete(child.hash);
      else parent.children.set(child.hash, child.nextSameHash);
      return;
    }
    let previous = first;
    while (previous.nextSameHash !== child) previous = previous.nextSameHash!;
    previous.nextSameHash = child.nextSameHash;
  }

  private samePage(node: RadixNode, nodePage: number, tokens: Int32Array, page: number): boolean {
    const a = nodePage * this.pageSize;
    const b = page * this.pageSize;
    for (let i = 0; i < this.pageSize; i++) if (node.tokens[a + i] !== tokens[b + i]) return false;
    return true;
  }
}

/** Pages of the path that ends at a node. */
export function pathPages(tail: RadixNode): number[] {
  const nodes: RadixNode[] = [];
  for (let node: RadixNode | null = tail; node !== null; node = node.parent) nodes.unshift(node);
  return nodes.flatMap((node) => node.pages);
}

/** FNV-1a over 32-bit words; spreads token ids well enough for a map of children. */
function fnv1a(tokens: Int32Array, from: number, size: number): number {
  let hash = 0x811c9dc5;
  for (let i = from; i < from + size; i++) hash = Math.imul(hash ^ tokens[i]!, 0x01000193);
  return hash ^ (hash >>> 15);
}

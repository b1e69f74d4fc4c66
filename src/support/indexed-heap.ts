/** What a heap entry must carry: its place in the heap, −1 while it is in none. */
export interface HeapItem {
  heapIndex: number;
}

/** Binary min-heap whose entries know their place, so that any of them can be removed in O(log n). */
export class IndexedHeap<T extends HeapItem> {
  private readonly items: T[] = [];

  constructor(private readonly before: (a: T, b: T) => boolean) {}

  get size(): number {
    return this.items.length;
  }

  peek(): T | undefined {
    return this.items[0];
  }

  has(item: T): boolean {
    return item.heapIndex >= 0;
  }

  push(item: T): void {
    this.place(item, this.items.length);
    this.siftUp(item);
  }

  pop(): T | undefined {
    const first = this.items[0];
    if (first !== undefined) this.remove(first);
    return first;
  }

  remove(item: T): void {
    const index = item.heapIndex;
    if (index < 0) return;
    item.heapIndex = -1;
    const last = this.items.pop()!;
    if (last === item) return;
    this.place(last, index);
    this.siftUp(last);
    this.siftDown(last);
  }

  private place(item: T, index: number): void {
    this.items[index] = item;
    item.heapIndex = index;
  }

  private siftUp(item: T): void {
    while (item.heapIndex > 0) {
      const parent = this.items[(item.heapIndex - 1) >> 1]!;
      if (!this.before(item, parent)) return;
      this.swap(item, parent);
    }
  }

  private siftDown(item: T): void {
    for (;;) {
      const child = this.firstChild(item);
      if (child === undefined || !this.before(child, item)) return;
      this.swap(item, child);
    }
  }

  private firstChild(item: T): T | undefined {
    const left = this.items[2 * item.heapIndex + 1];
    const right = this.items[2 * item.heapIndex + 2];
    if (left === undefined || right === undefined) return left;
    return this.before(right, left) ? right : left;
  }

  private swap(a: T, b: T): void {
    const index = a.heapIndex;
    this.place(a, b.heapIndex);
    this.place(b, index);
  }
}

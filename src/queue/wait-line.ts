import { type HeapItem, IndexedHeap } from '../support/indexed-heap.js';

export interface Waiter extends HeapItem {
  readonly id: string;
  readonly priority: number; // 0 is served first
  readonly arrivedMs: number;
  readonly number: number; // of arrival, to tell apart what came in the same millisecond
}

/**
 * Who is next. Priorities are head starts, not walls: a waiter of priority p is served as if it had come p · `stepMs`
 * later, so a lower class is overtaken only by what arrives within that time, and none starves.
 */
export class WaitLine<T extends Waiter> {
  readonly #heap: IndexedHeap<T>;
  readonly #waiting = new Set<T>();
  readonly #stepMs: number;

  constructor(stepMs: number) {
    this.#stepMs = stepMs;
    this.#heap = new IndexedHeap((a, b) => this.#before(a, b));
  }

  get size(): number {
    return this.#heap.size;
  }

  add(waiter: T): void {
    this.#heap.push(waiter);
    this.#waiting.add(waiter);
  }

  /** O(log n). */
  next(): T | undefined {
    const waiter = this.#heap.pop();
    if (waiter) this.#waiting.delete(waiter);
    return waiter;
  }

  /** O(log n); nothing happens where it doesn't wait. */
  remove(waiter: T): void {
    this.#heap.remove(waiter);
    this.#waiting.delete(waiter);
  }

  /** 1 is next. O(n): asked when somebody begins to wait or an operator looks, not per request served. */
  position(waiter: T): number {
    let ahead = 0;
    for (const other of this.#waiting) if (other !== waiter && this.#before(other, waiter)) ahead += 1;
    return ahead + 1;
  }

  /** In the order in which they would be served. */
  list(): T[] {
    return [...this.#waiting].sort((a, b) => (this.#before(a, b) ? -1 : 1));
  }

  #before(a: T, b: T): boolean {
    const difference = this.#due(a) - this.#due(b);
    return difference !== 0 ? difference < 0 : a.number < b.number;
  }

  #due(waiter: T): number {
    return waiter.arrivedMs + waiter.priority * this.#stepMs;
  }
}

import { IndexedHeap } from '../../src/support/indexed-heap.js';

interface Scheduled {
  atMs: number;
  order: number; // of scheduling: the tie-break that keeps runs equal
  run: () => void;
  heapIndex: number;
}

/** Simulated time: what was scheduled happens in its order, and time passes between. */
export class Events {
  nowMs = 0;
  readonly #heap = new IndexedHeap<Scheduled>(
    (a, b) => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order),
  );
  #scheduled = 0;

  at(atMs: number, run: () => void): void {
    this.#heap.push({ atMs: Math.max(atMs, this.nowMs), order: this.#scheduled++, run, heapIndex: -1 });
  }

  after(delayMs: number, run: () => void): void {
    this.at(this.nowMs + delayMs, run);
  }

  /** Now, and again each time the interval has passed. */
  every(intervalMs: number, run: () => void): void {
    run();
    this.after(intervalMs, () => this.every(intervalMs, run));
  }

  runUntil(endMs: number): void {
    for (let next = this.#heap.peek(); next !== undefined && next.atMs <= endMs; next = this.#heap.peek()) {
      this.#heap.pop();
      this.nowMs = next.atMs;
      next.run();
    }
    this.nowMs = endMs;
  }
}

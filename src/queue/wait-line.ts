import { type HeapItem, IndexedHeap } from '../support/indexed-heap.js';

export interface Waiter extends HeapItem {
  readonly id: string;
  readonly tenant: string;
  readonly priority: number; // 0 is served first
  readonly arrivedMs: number;
  readonly number: number; // of arrival, to tell apart what came in the same millisecond
}

/** One tenant's waiters. */
interface TenantLine<T extends Waiter> {
  readonly heap: IndexedHeap<T>;
  readonly waiting: Set<T>;
  readonly joined: number;
  /** Turn at which its next waiter is served: start-time fair queueing, each request being one turn. */
  turn: number;
}

/**
 * Who is next. Tenants that wait are served in turns, so that one with a thousand requests holds up no other by more than
 * one each. Among a tenant's own, priorities are head starts, not walls: a waiter of priority p is served as if it had come
 * p · `stepMs` later, so a lower class is overtaken only by what arrives within that time, and none starves.
 */
export class WaitLine<T extends Waiter> {
  readonly #tenants = new Map<string, TenantLine<T>>();
  readonly #stepMs: number;
  #size = 0;
  #turn = 0; // of who was served last
  #joined = 0;

  constructor(stepMs: number) {
    this.#stepMs = stepMs;
  }

  get size(): number {
    return this.#size;
  }

  /** O(log n). */
  add(waiter: T): void {
    const line = this.#tenants.get(waiter.tenant) ?? this.#join(waiter.tenant);
    line.heap.push(waiter);
    line.waiting.add(waiter);
    this.#size += 1;
  }

  /** O(log n + tenants). */
  next(mayPass: (tenant: string, waiting: number) => boolean): T | undefined {
    let first: TenantLine<T> | undefined;
    for (const [tenant, line] of this.#tenants) {
      if (!mayPass(tenant, line.waiting.size)) continue;
      if (!first || isBefore(line.turn, line, first.turn, first)) first = line;
    }
    const waiter = first?.heap.pop();
    if (!first || !waiter) return undefined;
    this.#turn = first.turn;
    first.turn += 1;
    this.#left(first, waiter);
    return waiter;
  }

  /** O(log n); nothing happens where it doesn't wait. */
  remove(waiter: T): void {
    const line = this.#tenants.get(waiter.tenant);
    if (!line?.waiting.has(waiter)) return;
    line.heap.remove(waiter);
    this.#left(line, waiter);
  }

  /** 1 is next. O(n): asked when somebody begins to wait, not per request served. */
  position(waiter: T): number {
    const own = this.#tenants.get(waiter.tenant)!;
    let ahead = 0;
    for (const other of own.waiting) if (other !== waiter && this.#before(other, waiter)) ahead += 1;
    const turn = own.turn + ahead;
    for (const line of this.#tenants.values()) {
      if (line === own) continue;
      const turns = turn - line.turn + (line.joined < own.joined ? 1 : 0);
      ahead += Math.max(0, Math.min(line.waiting.size, turns));
    }
    return ahead + 1;
  }

  /** In the order in which they would be served. */
  list(): T[] {
    const all = Array.from(this.#tenants.values(), (line) =>
      [...line.waiting]
        .sort((a, b) => (this.#before(a, b) ? -1 : 1))
        .map((waiter, index) => ({ waiter, line, turn: line.turn + index })),
    ).flat();
    all.sort((a, b) => (isBefore(a.turn, a.line, b.turn, b.line) ? -1 : 1));
    return all.map(({ waiter }) => waiter);
  }

  #join(tenant: string): TenantLine<T> {
    const heap = new IndexedHeap<T>((a, b) => this.#before(a, b));
    const line = { heap, waiting: new Set<T>(), joined: this.#joined, turn: this.#turn };
    this.#joined += 1;
    this.#tenants.set(tenant, line);
    return line;
  }

  #left(line: TenantLine<T>, waiter: T): void {
    line.waiting.delete(waiter);
    this.#size -= 1;
    if (line.waiting.size === 0) this.#tenants.delete(waiter.tenant);
  }

  #before(a: T, b: T): boolean {
    const difference = this.#due(a) - this.#due(b);
    return difference !== 0 ? difference < 0 : a.number < b.number;
  }

  #due(waiter: T): number {
    return waiter.arrivedMs + waiter.priority * this.#stepMs;
  }
}

/** Who has the same turn is served in the order in which their tenants began to wait. */
function isBefore(turnA: number, a: { joined: number }, turnB: number, b: { joined: number }): boolean {
  return turnA !== turnB ? turnA < turnB : a.joined < b.joined;
}

import type { Sequence } from './sequence.js';

/** Candidates looked at per tenant and step: bounds the cost of choosing, whatever the queue's length. */
const windowSize = 16;

/** What a request without a deadline is taken to have: it must not stand behind every request that has one. */
const defaultPatienceMs = 3_600_000;

export interface WaitingPolicy {
  /** A sequence that has waited longer is not overtaken by one with a longer cached prefix. */
  ageingMs: number;
  /** Nor is one whose deadline is nearer than this. */
  urgentMs: number;
  /** Cached pages of a waiting sequence's prompt. */
  cachedPages(sequence: Sequence): number;
}

/** One tenant's waiting sequences of one priority, ordered by deadline, then arrival. */
interface TenantQueue {
  tenant: string;
  sequences: Sequence[];
  /** Virtual time (tokens) at which the tenant's next sequence starts: start-time fair queueing. */
  start: number;
}

interface PriorityClass {
  priority: number;
  /** Preempted for want of pages: they go on before anything new of their priority starts. */
  resumed: Sequence[];
  tenants: Map<string, TenantQueue>;
  virtualTime: number;
}

/**
 * The order in which waiting sequences are considered: priority; preempted ones; tenants in turn, by the tokens they
 * were served; then within a tenant deadline, longest cached prefix (within the ageing bound), arrival.
 * Fairness stands above deadlines, since a client sets its deadlines itself.
 *
 * add and remove are O(waiting of the tenant) moves of one array; choosing looks at `windowSize` sequences per
 * tenant with something waiting.
 */
export class WaitingQueue {
  private classes: PriorityClass[] = [];
  private count = 0;

  constructor(private readonly policy: WaitingPolicy) {}

  get size(): number {
    return this.count;
  }

  add(sequence: Sequence): void {
    const group = this.classFor(sequence.priority);
    if (sequence.preempted) insertSorted(group.resumed, sequence);
    else insertSorted(tenantQueueFor(group, sequence.tenant).sequences, sequence);
    this.count++;
  }

  remove(sequence: Sequence): void {
    const group = this.classes.find((candidate) => candidate.priority === sequence.priority);
    const queue = group?.tenants.get(sequence.tenant);
    const list = sequence.preempted ? group?.resumed : queue?.sequences;
    const index = list?.indexOf(sequence) ?? -1;
    if (group === undefined || list === undefined || index < 0) return;
    list.splice(index, 1);
    this.count--;
    forgetPaid(group);
    if (isEmpty(group)) this.classes = this.classes.filter((other) => other !== group);
  }

  /** Takes out a sequence that starts now, and charges its tenant the tokens that it will cost. */
  take(sequence: Sequence, costTokens: number): void {
    const group = this.classFor(sequence.priority);
    const queue = group.tenants.get(sequence.tenant);
    if (queue !== undefined && !sequence.preempted) {
      group.virtualTime = Math.max(group.virtualTime, queue.start);
      queue.start += costTokens;
    }
    this.remove(sequence);
  }

  /** Whether nothing else of its tenant and priority waits beside a waiting sequence. */
  isOnly({ tenant, priority }: Sequence): boolean {
    const group = this.classes.find((candidate) => candidate.priority === priority);
    return group?.tenants.get(tenant)?.sequences.length === 1;
  }

  /** Every waiting sequence, in no useful order. */
  *all(): Generator<Sequence, void, void> {
    for (const group of this.classes) {
      yield* group.resumed;
      for (const queue of group.tenants.values()) yield* queue.sequences;
    }
  }

  /** Waiting sequences in the order of the policy. Don't change the queue while iterating. */
  *candidates(nowMs: number): Generator<Sequence, void, void> {
    for (const group of this.classes) {
      yield* group.resumed;
      const tenants = Array.from(group.tenants.values()).sort((a, b) => a.start - b.start);
      for (const queue of tenants) yield* this.window(queue, nowMs);
    }
  }

  private window(queue: TenantQueue, nowMs: number): Sequence[] {
    const window = queue.sequences.slice(0, windowSize);
    if (window.length <= 1) return window;
    const pressing = window.filter((sequence) => this.isPressing(sequence, nowMs));
    const others = window.filter((sequence) => !this.isPressing(sequence, nowMs));
    others.sort((a, b) => this.policy.cachedPages(b) - this.policy.cachedPages(a));
    return pressing.concat(others);
  }

  private isPressing(sequence: Sequence, nowMs: number): boolean {
    return (
      nowMs - sequence.enqueuedAtMs > this.policy.ageingMs || dueMs(sequence) - nowMs < this.policy.urgentMs
    );
  }

  private classFor(priority: number): PriorityClass {
    let index = 0;
    while (index < this.classes.length && this.classes[index]!.priority < priority) index++;
    const found = this.classes[index];
    if (found?.priority === priority) return found;
    const group = { priority, resumed: [], tenants: new Map<string, TenantQueue>(), virtualTime: 0 };
    this.classes.splice(index, 0, group);
    return group;
  }
}

function tenantQueueFor(group: PriorityClass, tenant: string): TenantQueue {
  let queue = group.tenants.get(tenant);
  if (queue === undefined) {
    // A tenant that comes back starts at the present: it has no credit for its absence.
    queue = { tenant, sequences: [], start: group.virtualTime };
    group.tenants.set(tenant, queue);
  }
  return queue;
}

/** Who waits no more is remembered until the others have caught up: who always has one waiting would never have to pay else. */
function forgetPaid(group: PriorityClass): void {
  for (const [tenant, { sequences, start }] of group.tenants) {
    if (sequences.length === 0 && start <= group.virtualTime) group.tenants.delete(tenant);
  }
}

function isEmpty({ resumed, tenants }: PriorityClass): boolean {
  if (resumed.length > 0) return false;
  for (const { sequences } of tenants.values()) if (sequences.length > 0) return false;
  return true;
}

function insertSorted(list: Sequence[], sequence: Sequence): void {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (before(sequence, list[middle]!)) high = middle;
    else low = middle + 1;
  }
  list.splice(low, 0, sequence);
}

function before(a: Sequence, b: Sequence): boolean {
  const difference = dueMs(a) - dueMs(b);
  return difference < 0 || (difference === 0 && a.arrival < b.arrival);
}

function dueMs(sequence: Sequence): number {
  return sequence.deadlineMs ?? sequence.enqueuedAtMs + defaultPatienceMs;
}

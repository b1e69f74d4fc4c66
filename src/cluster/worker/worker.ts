import type { LocalTarget } from '../../gateway/local-target.js';
import type { RedisLink } from '../../redis/link.js';
import type { Tracing } from '../../telemetry/trace.js';
import { PrefixDigest } from '../placement/digest.js';
import { prefixNames } from '../placement/prefix.js';
import { Sweeper } from '../queue/sweeper.js';
import type { WorkQueue } from '../queue/work-queue.js';
import { type ModelDescription, Roster, type WorkerState } from '../roster/roster.js';
import { Assignment } from './assignment.js';
import { LivingGateways } from './living-gateways.js';
import { Outboxes } from './outboxes.js';

export interface WorkerOptions {
  id: string; // unique
  revision: string; // of the model
  aliases: string[]; // further names of the model
  maxSequences: number;
  leaseMs: number;
  tracing: Tracing;
  onFault: (message: string, details: object) => void;
}

/** The bell may be missed; so late a request is found all the same. */
const LOOK_INTERVAL_MS = 100;
/** Of the newest in the moving average of service times. */
const NEWEST_WEIGHT = 1 / 8;
/** Prefixes that gateways are told of; 8 KiB a heartbeat. */
const DIGEST_NAMES = 2_048;
/** Where running sequences hold more of the pages, nothing new is taken. */
const FULL_PAGES = 0.95;

/** Serves one model from the queue: takes what its engine can begin with at once, and says what comes of it. */
export class Worker {
  readonly #target: LocalTarget;
  readonly #queue: WorkQueue;
  readonly #redis: RedisLink;
  readonly #options: WorkerOptions;
  readonly #roster: Roster;
  readonly #outboxes: Outboxes;
  readonly #sweeper: Sweeper;
  readonly #digest = new PrefixDigest(DIGEST_NAMES);
  readonly #assignments = new Map<string, Assignment>();
  /** Moving average of the time that a request takes here; 0: none has ended. */
  #serviceMs = 0;
  #timers: NodeJS.Timeout[] = [];
  #isTaking = false;
  #isDraining = false;
  #onIdle: (() => void)[] = [];

  constructor(target: LocalTarget, queue: WorkQueue, redis: RedisLink, options: WorkerOptions) {
    this.#target = target;
    this.#queue = queue;
    this.#redis = redis;
    this.#options = options;
    this.#roster = new Roster(queue.model, redis);
    const gateways = new LivingGateways(redis);
    this.#sweeper = new Sweeper(
      queue,
      async ({ gateway, isOver }) => isOver || !(await gateways.lives(gateway)),
    );
    this.#outboxes = new Outboxes(options.id, redis, (gateway) => this.#gatewayGone(gateway));
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  async open(): Promise<void> {
    const { keys, subscriber } = this.#redis;
    await subscriber.subscribe(keys.bell(this.#queue.model), () => void this.#look());
    await this.#announce();
    this.#timers = [
      setInterval(() => void this.#look(), LOOK_INTERVAL_MS),
      setInterval(() => this.#sayAlive(), this.#options.leaseMs / 3),
      setInterval(() => void this.#announce(), this.#options.leaseMs / 3),
      setInterval(() => void this.#sweep().catch(() => undefined), this.#options.leaseMs),
    ];
    void this.#look();
  }

  /**
   * Takes nothing more and lets what runs finish; what hasn't within the time goes on at another worker. Resolves with how many
   * those are.
   */
  async drain(timeoutMs: number): Promise<number> {
    this.#isDraining = true;
    void this.#announce();
    await Promise.race([this.#idle(), new Promise((resolve) => setTimeout(resolve, timeoutMs).unref())]);
    const left = [...this.#assignments.values()];
    for (const assignment of left) assignment.handOver();
    await this.#outboxes.flushed();
    return left.length;
  }

  async close(): Promise<void> {
    this.#isDraining = true;
    for (const timer of this.#timers) clearInterval(timer);
    for (const assignment of this.#assignments.values()) assignment.cancel();
    await this.#idle();
    await this.#roster.leave(this.#options.id).catch(() => undefined);
  }

  /** Sequences that could begin at once. A hung engine gets nothing. */
  #room(): number {
    const { engine } = this.#target.served;
    if (this.#isDraining || !engine.healthy()) return 0;
    const { waiting, pagesLive, pagesTotal } = engine.stats();
    const sequences = this.#sequences();
    if (sequences > 0 && (waiting > 0 || pagesLive > FULL_PAGES * pagesTotal)) return 0;
    return this.#options.maxSequences - sequences;
  }

  #sequences(): number {
    let sum = 0;
    for (const { sequences } of this.#assignments.values()) sum += sequences;
    return sum;
  }

  #sequencesByGateway(): Record<string, number> {
    const sums: Record<string, number> = {};
    for (const { gateway, sequences } of this.#assignments.values())
      sums[gateway] = (sums[gateway] ?? 0) + sequences;
    return sums;
  }

  async #look(): Promise<void> {
    const room = this.#room();
    if (this.#isTaking || room <= 0) return;
    this.#isTaking = true;
    let found = 0;
    try {
      const works = await this.#queue.take(this.#options.id, room);
      found = works.length;
      for (const work of works)
        this.#begin(new Assignment(work, this.#outboxes.to(work.gateway), this.#options.revision));
    } catch {
      // Redis is away. What it gave us unheard, its gateway finds.
    } finally {
      this.#isTaking = false;
    }
    if (found > 0) void this.#look();
  }

  #begin(assignment: Assignment): void {
    const name = nameOf(assignment);
    if (this.#assignments.has(name)) {
      this.#discard(assignment); // delivered twice
      return;
    }
    this.#assignments.set(name, assignment);
    const beganMs = performance.now();
    void assignment
      .run(this.#target, this.#options.tracing, (request) => this.#digest.add(prefixNames(request)))
      .finally(() => {
        this.#assignments.delete(name);
        if (assignment.isCancelled) this.#discard(assignment);
        this.#took(performance.now() - beganMs);
        if (this.#assignments.size === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
        void this.#look();
      });
  }

  /** Its gateway takes out what ends as it should. */
  #discard({ entry, id }: Assignment): void {
    this.#queue.remove(entry, id).catch(() => undefined); // the sweeper finds it
  }

  #took(ms: number): void {
    this.#serviceMs += (ms - this.#serviceMs) * (this.#serviceMs === 0 ? 1 : NEWEST_WEIGHT);
  }

  /** A request of that attempt is wanted no more. */
  cancel(named: { id: string; attempt: number }): void {
    this.#assignments.get(nameOf(named))?.cancel();
  }

  /** Requests that begin with what these name are welcome here. */
  hold(names: readonly number[]): void {
    this.#digest.add(names);
  }

  #gatewayGone(gateway: string): void {
    for (const assignment of this.#assignments.values())
      if (assignment.gateway === gateway) assignment.cancel();
  }

  /** Whoever hears nothing for a lease gives the request to another worker, so a hung engine keeps silent. */
  #sayAlive(): void {
    if (!this.#target.alive()) return;
    const byGateway = new Map<string, { id: string; attempt: number }[]>();
    for (const { id, attempt, gateway } of this.#assignments.values())
      byGateway.set(gateway, [...(byGateway.get(gateway) ?? []), { id, attempt }]);
    for (const [gateway, jobs] of byGateway) this.#outboxes.to(gateway).sayAlive(jobs);
    this.#outboxes.keepOnly(new Set(byGateway.keys()));
  }

  async #announce(): Promise<void> {
    if (!this.#target.alive()) return;
    const { engine, text } = this.#target.served;
    const { pagesLive, pagesTotal } = engine.stats();
    const state: WorkerState = {
      id: this.#options.id,
      revision: this.#options.revision,
      maxSequences: this.#options.maxSequences,
      running: this.#sequences(),
      runningFor: this.#sequencesByGateway(),
      pageUse: pagesTotal === 0 ? 0 : pagesLive / pagesTotal,
      serviceMs: Math.round(this.#serviceMs),
      isDraining: this.#isDraining,
      prefixes: this.#digest.names(),
    };
    const { revision, aliases } = this.#options;
    const description: ModelDescription = {
      kind: 'generator',
      contextTokens: engine.maxContext,
      aliases,
      revision,
      vocab: text.vocab,
      card: this.#target.card,
    };
    try {
      await this.#roster.announce(state, this.#options.leaseMs, description);
    } catch {
      // Redis is away; the next heartbeat may arrive.
    }
  }

  /** What dead gateways have left. */
  #sweep(): Promise<void> {
    return this.#sweeper.sweep([this.#queue.home(this.#options.id), ...this.#queue.streams]);
  }

  #idle(): Promise<void> {
    if (this.#assignments.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }
}

function nameOf({ id, attempt }: { id: string; attempt: number }): string {
  return `${id} ${attempt}`;
}

import type { Config } from '../../config/index.js';
import type { Embedder } from '../../embedding/index.js';
import type { RedisLink } from '../../redis/link.js';
import type { Target } from '../../routing/target.js';
import { SharedPrefixes } from '../prefixes/shared-prefixes.js';
import { DeadLetters } from '../queue/dead-letters.js';
import { type OwnedEntry, WorkQueue } from '../queue/work-queue.js';
import { Roster, recentModels } from '../roster/roster.js';
import type { Dispatcher } from './dispatcher.js';
import { RemoteEncoder } from './remote-encoder.js';
import { RemoteModel } from './remote-model.js';
import { RemoteTarget } from './remote-target.js';
import { RemoteTools } from './remote-tools.js';

export interface DiscoveryHooks {
  /** A model that wasn't known before. */
  found(id: string, aliases: string[], target: Target): void;
  /** An encoder that wasn't known before. */
  foundEncoder(encoder: Embedder): void;
}

/** Looks for models and their workers from time to time. */
export class Discovery {
  readonly models = new Map<string, RemoteModel>();
  readonly #encoders = new Map<string, RemoteEncoder>();
  readonly #redis: RedisLink;
  readonly #dispatcher: Dispatcher;
  readonly #config: Config;
  readonly #hooks: DiscoveryHooks;
  readonly #timer: NodeJS.Timeout;
  #isLooking = false;

  constructor(redis: RedisLink, dispatcher: Dispatcher, config: Config, hooks: DiscoveryHooks) {
    this.#redis = redis;
    this.#dispatcher = dispatcher;
    this.#config = config;
    this.#hooks = hooks;
    this.#timer = setInterval(() => void this.look(), config.cluster.leaseMs / 3).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      for (const id of await recentModels(this.#redis))
        if (!this.models.has(id) && !this.#encoders.has(id)) await this.#meet(id);
      const all = [...this.models.values(), ...this.#encoders.values()];
      await Promise.all(all.map((each) => each.look()));
    } catch {
      // Redis is away; what was known still holds.
    } finally {
      this.#isLooking = false;
    }
  }

  async #meet(id: string): Promise<void> {
    const { cluster, requests, routing } = this.#config;
    const roster = new Roster(id, this.#redis);
    const description = await roster.description();
    if (description === null) return;
    if (description.kind === 'encoder') {
      const encoder = new RemoteEncoder(description, roster, this.#dispatcher.calls);
      this.#encoders.set(id, encoder);
      this.#hooks.foundEncoder(encoder);
      return;
    }
    const queue = new WorkQueue(id, this.#redis, cluster);
    const dead = new DeadLetters(id, this.#redis, cluster.deadLetterHours * 3_600_000);
    const isAbandoned = (owned: OwnedEntry) => this.#dispatcher.isAbandoned(owned);
    const { id: gateway } = this.#dispatcher;
    const model = new RemoteModel({ gateway, queue, dead, roster, isAbandoned }, description);
    this.models.set(id, model);
    const { maxInFlight } = cluster;
    const options = { maxInFlight, waitTimeoutMs: routing.waitTimeoutMs };
    const prefixes = new SharedPrefixes(id, this.#redis, requests.maxPinnedPrefixes);
    const tools = new RemoteTools(this.#dispatcher.calls, () => model.callable, prefixes);
    const target = new RemoteTarget(model, tools, this.#dispatcher, this.#redis, options);
    this.#hooks.found(id, description.aliases, target);
  }
}

/**
 * Every key and channel. Keys that one script changes together carry the same hash tag, so that Redis Cluster keeps
 * them in one slot: all of a model, all of a gateway.
 */
export class Keys {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Sorted set of all models, by when a worker last announced them. */
  get models(): string {
    return `${this.#prefix}:models`;
  }

  /** Stream of requests that any worker of the model may take. */
  work(model: string, priority: number): string {
    return `${this.#ofModel(model)}:work:${priority}`;
  }

  /** Stream of requests meant for one worker. */
  home(model: string, worker: string): string {
    return `${this.#ofModel(model)}:home:${worker}`;
  }

  /** Sorted set of the entries of all these streams, which autoscalers count: requests that wait or run. */
  open(model: string): string {
    return `${this.#ofModel(model)}:open`;
  }

  /** The worker that a conversation is at. */
  conversation(model: string, name: string): string {
    return `${this.#ofModel(model)}:conversation:${name}`;
  }

  /** The body of a request that is too large for the stream. */
  body(model: string, request: string): string {
    return `${this.#ofModel(model)}:body:${request}`;
  }

  /** Hash by id: what a tenant's pinned prefixes stand for. */
  prefixes(model: string, tenant: string): string {
    return `${this.#ofModel(model)}:prefixes:${tenant}`;
  }

  /** Hash by id: what is known of those that were computed. */
  pins(model: string, tenant: string): string {
    return `${this.#ofModel(model)}:pins:${tenant}`;
  }

  /** Hash by id: requests that began with it. */
  prefixHits(model: string, tenant: string): string {
    return `${this.#ofModel(model)}:prefix-hits:${tenant}`;
  }

  dead(model: string): string {
    return `${this.#ofModel(model)}:dead`;
  }

  /** Hash of the workers' heartbeats. */
  workers(model: string): string {
    return `${this.#ofModel(model)}:workers`;
  }

  /** Sorted set: when each worker's heartbeat runs out. */
  leases(model: string): string {
    return `${this.#ofModel(model)}:leases`;
  }

  /** What gateways need to know of the model itself. */
  description(model: string): string {
    return `${this.#ofModel(model)}:description`;
  }

  /** Stream of what workers have to say to a gateway. It exists while the gateway lives. */
  results(gateway: string): string {
    return `${this.#prefix}:{gateway:${gateway}}:results`;
  }

  /** Channel that rings when there is work for a model. */
  bell(model: string): string {
    return `${this.#prefix}:bell:${model}`;
  }

  /** Channel of what gateways have to say to a worker. */
  orders(worker: string): string {
    return `${this.#prefix}:orders:${worker}`;
  }

  /** A background request of a key, and its result. */
  background(owner: string, id: string): string {
    return `${this.#prefix}:background:${owner}:${id}`;
  }

  /** Channel of background requests that were removed. */
  get removals(): string {
    return `${this.#prefix}:removals`;
  }

  /** What is shared of keys and limits. */
  directory(part: 'revision' | 'changes' | 'values' | 'alerts'): string {
    return `${this.#prefix}:{directory}:${part}`;
  }

  /** Channel that rings when keys or limits have changed. */
  get directoryBell(): string {
    return `${this.#prefix}:directory`;
  }

  /** What organisations of one shard use. */
  accounts(shard: number, part: string): string {
    return `${this.#prefix}:{accounts:${shard}}:${part}`;
  }

  /** A part of what gateways share under a name, which is its slot. */
  shared(name: string, part: string): string {
    return `${this.#prefix}:{${name}}:${part}`;
  }

  #ofModel(model: string): string {
    return `${this.#prefix}:{model:${model}}`;
  }
}

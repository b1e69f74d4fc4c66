import type { ModelSpec } from '../config/index.js';
import { SluiceError, toSluiceError } from '../errors.js';
import type { QueuedRequest } from '../queue/model-queue.js';
import { Deployment, type Environment, type Lease } from './deployment.js';
import { chooseEvictions } from './evictions.js';
import type { Target } from './target.js';

export interface TargetFactory {
  open(spec: ModelSpec): Promise<Target>;
  /** Memory that a target will take, as well as can be told before it is loaded; 0 for upstreams. */
  estimateBytes(spec: ModelSpec): Promise<number>;
}

export interface FleetHooks {
  /** Requests go to this target from now on. */
  up(deployment: Deployment, target: Target): void;
  /** They don't any more; it may still be working for some. */
  down(deployment: Deployment, target: Target): void;
  log(message: string, details: object): void;
}

const MAX_MODELS = 1000;

/** All models that this server can answer with, and their loading, updating and unloading while it runs. */
export class Fleet {
  readonly environment: Environment;
  readonly #factory: TargetFactory;
  readonly #hooks: FleetHooks;
  readonly #deployments = new Map<string, Deployment>();
  readonly #byAlias = new Map<string, Deployment>();
  readonly #loading = new Map<Deployment, Promise<void>>();
  readonly #closing = new Set<Promise<void>>();
  /** Loads go one after another: they compete for memory and disk, and each decides about what is loaded. */
  #lastLoad: Promise<unknown> = Promise.resolve();

  constructor(environment: Environment, factory: TargetFactory, hooks: FleetHooks) {
    this.environment = environment;
    this.#factory = factory;
    this.#hooks = hooks;
  }

  list(): Deployment[] {
    return [...this.#deployments.values()];
  }

  find(name: string): Deployment | null {
    return this.#deployments.get(name) ?? this.#byAlias.get(name) ?? null;
  }

  /** Of a request that waits for some model; null where it doesn't. */
  placeInLine(requestId: string): QueuedRequest | null {
    for (const { queue } of this.#deployments.values()) {
      const place = queue.find(requestId);
      if (place) return place;
    }
    return null;
  }

  /** The one for requests that name none: the first. */
  first(): Deployment | null {
    for (const deployment of this.#deployments.values()) return deployment;
    return null;
  }

  /** Takes in a model that is loaded already. */
  adopt(spec: ModelSpec, target: Target): Deployment {
    const deployment = this.#register(spec);
    this.#install(deployment, target);
    return deployment;
  }

  /** Adds a model and loads it, unless it is to be loaded on first use. Where that fails it isn't kept. */
  async add(spec: ModelSpec): Promise<Deployment> {
    const deployment = this.#register(spec);
    if (!spec.preload && !spec.upstream) return deployment;
    try {
      await this.ensureLoaded(deployment);
    } catch (error) {
      this.#forget(deployment);
      throw error;
    }
    return deployment;
  }

  /**
   * A new target for a model that goes on being served: it is opened and warmed up beside the old one, then new requests
   * go to it, and the old one is closed when the last request that uses it has ended.
   */
  async update(id: string, spec: ModelSpec): Promise<Deployment> {
    const deployment = this.#get(id);
    this.#checkNames(spec, deployment);
    await this.#exclusively(async () => {
      const target = await this.#open(spec);
      this.#setNames(deployment, spec);
      this.#install(deployment, target);
    });
    return deployment;
  }

  /** No new request reaches it; those that run may finish. Resolves when its memory is free. */
  async remove(id: string): Promise<void> {
    const deployment = this.#get(id);
    this.#forget(deployment);
    await this.#retire(deployment, deployment.vacate('removed'));
  }

  /** Loads a model that isn't loaded; callers that come meanwhile share the load. */
  ensureLoaded(deployment: Deployment): Promise<void> {
    if (deployment.target) return Promise.resolve();
    const running = this.#loading.get(deployment);
    if (running) return running;
    const loading = this.#load(deployment).finally(() => this.#loading.delete(deployment));
    this.#loading.set(deployment, loading);
    return loading;
  }

  /** A target to use, loaded if need be. Throws model_not_ready and what loading throws. */
  async lease(deployment: Deployment): Promise<Lease> {
    await this.ensureLoaded(deployment);
    const lease = deployment.lease();
    if (lease) return lease;
    throw notServed(deployment.id);
  }

  /** Closes everything, whatever it does. */
  async close(): Promise<void> {
    const open = this.list().flatMap((deployment) => deployment.vacate('removed') ?? []);
    await Promise.all([...open.map((target) => target.close()), ...this.#closing]);
  }

  async #load(deployment: Deployment): Promise<void> {
    deployment.state = 'loading';
    try {
      await this.#exclusively(async () => {
        const target = await this.#open(deployment.spec);
        if (!deployment.isRemoved) return this.#install(deployment, target);
        await target.close(); // removed meanwhile
        throw notServed(deployment.id);
      });
    } catch (error) {
      if (deployment.isRemoved) throw error;
      const { code, message } = toSluiceError(error);
      // Without room now, it may have some in a moment.
      if (code === 'model_not_ready') deployment.state = 'cold';
      else deployment.loadFailed(message);
      throw error;
    }
  }

  async #open(spec: ModelSpec): Promise<Target> {
    await this.#makeRoom(spec);
    const target = await this.#factory.open(spec);
    try {
      await target.warmUp();
    } catch (error) {
      await target.close();
      throw error;
    }
    return target;
  }

  /** Unloads idle models, the longest unused first, until the new one fits. Throws model_not_ready where it can't. */
  async #makeRoom(spec: ModelSpec): Promise<void> {
    const { maxModelBytes } = this.environment.settings;
    if (maxModelBytes === 0 || spec.upstream) return;
    const neededBytes = await this.#factory.estimateBytes(spec);
    const loaded = this.list().filter(({ target }) => target?.kind === 'local');
    const evictable = loaded.map((deployment) => ({
      id: deployment.id,
      bytes: deployment.bytes,
      lastUsedMs: deployment.lastUsedMs,
      idle: deployment.idle && !deployment.spec.pinned && deployment.id !== spec.id,
    }));
    const chosen = chooseEvictions(evictable, neededBytes, maxModelBytes);
    if (chosen === null) {
      const message = `There is no room for ${spec.id}: it needs ${neededBytes} bytes, and the models in use leave less of ${maxModelBytes}.`;
      throw new SluiceError('model_not_ready', message, { retryAfterSeconds: 5 });
    }
    for (const { id } of chosen) {
      const deployment = this.#get(id);
      this.#hooks.log('unloading an idle model', { model: id, for: spec.id });
      await this.#retire(deployment, deployment.vacate('cold'));
    }
  }

  #install(deployment: Deployment, target: Target): void {
    const before = deployment.use(target);
    this.#hooks.up(deployment, target);
    if (!before) return;
    this.#hooks.down(deployment, before);
    void this.#retireLater(deployment, before);
  }

  async #retire(deployment: Deployment, target: Target | null): Promise<void> {
    if (!target) return;
    this.#hooks.down(deployment, target);
    await this.#retireLater(deployment, target);
  }

  /** Waits for who uses it, as long as that is allowed to take, then closes it. */
  #retireLater(deployment: Deployment, target: Target): Promise<void> {
    const closing = this.#drainAndClose(deployment, target).finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
    return closing;
  }

  async #drainAndClose(deployment: Deployment, target: Target): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.environment.settings.drainTimeoutMs).unref();
    });
    await Promise.race([deployment.drained(target), patience]);
    clearTimeout(timer);
    await target.close();
  }

  #exclusively<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#lastLoad.then(action);
    this.#lastLoad = result.catch(() => undefined);
    return result;
  }

  #register(spec: ModelSpec): Deployment {
    if (this.#deployments.size >= MAX_MODELS)
      throw new SluiceError('invalid_request', `There are ${MAX_MODELS} models already.`);
    this.#checkNames(spec, null);
    const deployment = new Deployment(spec, this.environment);
    this.#deployments.set(spec.id, deployment);
    this.#setNames(deployment, spec);
    return deployment;
  }

  #setNames(deployment: Deployment, spec: ModelSpec): void {
    for (const [alias, owner] of this.#byAlias) if (owner === deployment) this.#byAlias.delete(alias);
    for (const alias of spec.aliases) this.#byAlias.set(alias, deployment);
    deployment.spec = spec;
  }

  #forget(deployment: Deployment): void {
    if (this.#deployments.get(deployment.id) !== deployment) return;
    this.#setNames(deployment, { ...deployment.spec, aliases: [] });
    this.#deployments.delete(deployment.id);
  }

  #checkNames(spec: ModelSpec, owner: Deployment | null): void {
    const taken = [spec.id, ...spec.aliases].find((name) => {
      const holder = this.find(name);
      return holder !== null && holder !== owner;
    });
    if (taken === undefined) return;
    throw new SluiceError('duplicate_id', `There is a model ${JSON.stringify(taken)} already.`, {
      param: taken === spec.id ? 'id' : 'aliases',
    });
  }

  #get(id: string): Deployment {
    const deployment = this.#deployments.get(id);
    if (deployment) return deployment;
    throw new SluiceError('model_not_found', `There is no model ${JSON.stringify(id)}.`);
  }
}

function notServed(id: string): SluiceError {
  return new SluiceError('model_not_ready', `The model ${id} is being unloaded.`, { retryAfterSeconds: 1 });
}

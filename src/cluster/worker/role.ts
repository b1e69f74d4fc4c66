import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Config } from '../../config/index.js';
import type { Embedder } from '../../embedding/index.js';
import { LocalTarget } from '../../gateway/local-target.js';
import type { ServedModel } from '../../gateway/models.js';
import { connectRedis, type RedisLink } from '../../redis/link.js';
import { unpack } from '../../redis/packing.js';
import type { Log } from '../../telemetry/log.js';
import { noTracing, type Tracing } from '../../telemetry/trace.js';
import { SharedPrefixes } from '../prefixes/shared-prefixes.js';
import { WorkQueue } from '../queue/work-queue.js';
import type { Order, Procedures } from '../wire.js';
import { CallServer } from './call-server.js';
import { EncoderService } from './encoder-service.js';
import { modelProcedures } from './model-procedures.js';
import { Worker } from './worker.js';
import { WorkerPrefixes } from './worker-prefixes.js';

export interface WorkerParts {
  config: Config;
  /** Null: it only has an encoder. */
  served: ServedModel | null;
  embedder?: Embedder | null;
  tracing?: Tracing;
  log: Log;
}

/** A process's part as a worker of a cluster: one model and the queue that it is fed from, an encoder, or both. */
export class WorkerRole {
  /** Null where there is no model. */
  readonly worker: Worker | null;
  readonly #target: LocalTarget | null;
  readonly #encoder: EncoderService | null;
  readonly #calls: CallServer;
  readonly #redis: RedisLink;
  readonly #timers: NodeJS.Timeout[];
  #isDraining = false;

  private constructor(id: string, redis: RedisLink, parts: WorkerParts) {
    const { config, served, embedder = null, tracing = noTracing, log } = parts;
    const { leaseMs } = config.cluster;
    const onFault = (message: string, details: object) => log.warn(details, message);
    this.#redis = redis;
    this.#timers = [setInterval(() => this.#calls.sayAlive(), leaseMs / 3)];
    this.#encoder =
      embedder &&
      new EncoderService(embedder, redis, { worker: id, aliases: config.embeddings.aliases, leaseMs });
    let procedures: Partial<Procedures> = this.#encoder?.procedures ?? {};
    this.#target = null;
    this.worker = null;
    if (served) {
      const { maxSequences } = config.engine;
      const shared = new SharedPrefixes(served.id, redis, config.requests.maxPinnedPrefixes);
      const prefixes = new WorkerPrefixes(served, shared, onFault);
      this.#target = new LocalTarget(served, prefixes, config.requests, maxSequences);
      this.worker = new Worker(this.#target, new WorkQueue(served.id, redis, config.cluster), redis, {
        id,
        revision: served.revision,
        aliases: config.model.aliases,
        maxSequences,
        leaseMs,
        tracing,
        onFault,
      });
      procedures = { ...procedures, ...modelProcedures(this.#target, prefixes, this.worker) };
      this.#timers.push(setInterval(() => void prefixes.releaseRemoved().catch(() => undefined), leaseMs));
    }
    this.#calls = new CallServer(id, redis, procedures);
  }

  /** Rejects with store_unavailable where Redis can't be reached. */
  static async open(parts: WorkerParts): Promise<WorkerRole> {
    const redis = await connectRedis(parts.config.redis);
    const id = `${hostname()}-${randomUUID()}`;
    const role = new WorkerRole(id, redis, parts);
    try {
      await role.#target?.warmUp();
      await redis.subscriber.subscribe(redis.keys.orders(id), (order) => role.#obey(unpack<Order>(order)));
      await role.#encoder?.open();
      await role.worker?.open();
    } catch (error) {
      await role.close();
      throw error;
    }
    return role;
  }

  /** False while its engine hangs. */
  get isAlive(): boolean {
    return this.#target?.alive() ?? true;
  }

  /** Why it takes no work; null where it does. */
  unready(): string | null {
    if (this.#isDraining) return 'draining';
    if (!this.isAlive) return 'the engine is not answering';
    return this.#redis.commands.isUp ? null : 'Redis is away';
  }

  /** Takes nothing more; resolves with how many requests were handed over to other workers, not being done within the time. */
  async drain(timeoutMs: number): Promise<number> {
    this.#isDraining = true;
    this.#encoder?.drain();
    const [left] = await Promise.all([this.worker?.drain(timeoutMs), this.#calls.ended(timeoutMs)]);
    return left ?? 0;
  }

  /** The model and the encoder stay open: they are the caller's. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#calls.close();
    await this.#encoder?.close();
    await this.worker?.close();
    this.#redis.close();
  }

  #obey(order: Order): void {
    if (order.type === 'call') void this.#calls.take(order);
    else {
      this.#calls.cancel(order);
      this.worker?.cancel(order);
    }
  }
}

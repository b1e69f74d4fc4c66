import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Config } from '../../config/index.js';
import { LocalTarget } from '../../gateway/local-target.js';
import type { ServedModel } from '../../gateway/models.js';
import { PrefixRegistry } from '../../gateway/prefixes.js';
import type { Log } from '../../telemetry/log.js';
import { WorkQueue } from '../queue/work-queue.js';
import { connectRedis, type RedisLink } from '../redis/link.js';
import { Worker } from './worker.js';

/** A process's part as a worker of a cluster: one model, and the queue that it is fed from. */
export class WorkerRole {
  readonly worker: Worker;
  readonly target: LocalTarget;
  readonly #redis: RedisLink;

  private constructor(worker: Worker, target: LocalTarget, redis: RedisLink) {
    this.worker = worker;
    this.target = target;
    this.#redis = redis;
  }

  /** Rejects with store_unavailable where Redis can't be reached. */
  static async open(config: Config, served: ServedModel, log: Log): Promise<WorkerRole> {
    const { maxSequences } = config.engine;
    const prefixes = new PrefixRegistry(config.requests.maxPinnedPrefixes);
    const target = new LocalTarget(served, prefixes, config.requests, maxSequences);
    await target.warmUp();
    const redis = await connectRedis(config.redis);
    const worker = new Worker(target, new WorkQueue(served.id, redis, config.cluster), redis, {
      id: `${hostname()}-${randomUUID()}`,
      revision: served.revision,
      aliases: config.model.aliases,
      maxSequences,
      leaseMs: config.cluster.leaseMs,
      onFault: (message, details) => log.warn(details, message),
    });
    await worker.open();
    return new WorkerRole(worker, target, redis);
  }

  /** Why it takes no work; null where it does. */
  unready(): string | null {
    if (this.worker.isDraining) return 'draining';
    if (!this.target.alive()) return 'the engine is not answering';
    return this.#redis.commands.isUp ? null : 'Redis is away';
  }

  /** The model stays open: it is the caller's. */
  async close(): Promise<void> {
    await this.worker.close();
    this.#redis.close();
  }
}

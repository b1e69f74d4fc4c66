import { randomUUID } from 'node:crypto';
import type { Config } from '../../config/index.js';
import type { Embedder } from '../../embedding/index.js';
import { adoptedSpec, type RemoteModels } from '../../gateway/create.js';
import { connectRedis, type RedisLink } from '../../redis/link.js';
import type { Fleet } from '../../routing/fleet.js';
import type { Log } from '../../telemetry/log.js';
import { RedisHealth } from '../health/redis-health.js';
import { Discovery } from './discovery.js';
import { Dispatcher } from './dispatcher.js';
import { RedisBoard } from './redis-board.js';

/** A process's part as a gateway of a cluster. */
export class GatewayRole implements RemoteModels {
  readonly id: string;
  readonly redis: RedisLink;
  readonly dispatcher: Dispatcher;
  readonly board: RedisBoard;
  readonly health: RedisHealth;
  readonly #config: Config;
  readonly #log: Log;
  /** That of workers; null where none has been found. */
  encoder: Embedder | null = null;
  #discovery: Discovery | null = null;

  private constructor(id: string, redis: RedisLink, config: Config, log: Log) {
    this.id = id;
    this.redis = redis;
    this.#config = config;
    this.#log = log;
    const { background, requests } = config;
    this.board = new RedisBoard(redis, id, {
      retentionMs: background.retentionSeconds * 1000,
      longestMs: requests.maxTimeoutMs,
    });
    this.health = new RedisHealth(redis);
    this.dispatcher = new Dispatcher(redis, {
      id,
      leaseMs: config.cluster.leaseMs,
      maxAttempts: config.cluster.maxAttempts,
      waitTimeoutMs: config.routing.waitTimeoutMs,
      onFault: (message, details) => log.warn(details, message),
    });
  }

  /** Rejects with store_unavailable where Redis can't be reached. */
  static async open(config: Config, log: Log): Promise<GatewayRole> {
    const redis = await connectRedis(config.redis);
    const role = new GatewayRole(`gateway-${randomUUID()}`, redis, config, log);
    await Promise.all([role.dispatcher.open(), role.board.open()]);
    return role;
  }

  async attach(fleet: Fleet): Promise<void> {
    this.#discovery = new Discovery(this.redis, this.dispatcher, this.#config, {
      found: (id, aliases, target) => {
        if (fleet.find(id)) {
          this.#log.warn({ model: id }, 'workers serve a model of a name that is taken');
          return;
        }
        const free = aliases.filter((alias) => fleet.find(alias) === null);
        fleet.adopt(adoptedSpec(id, free), target);
        this.#log.info({ model: id }, 'workers serve a model');
      },
      foundEncoder: (encoder) => {
        if (this.encoder) {
          this.#log.warn(
            { model: encoder.modelId },
            `workers serve another encoder than ${this.encoder.modelId}`,
          );
          return;
        }
        this.encoder = encoder;
        this.#log.info({ model: encoder.modelId }, 'workers serve an encoder');
      },
    });
    await this.#discovery.look();
  }

  isConnected(): boolean {
    return this.redis.commands.isUp;
  }

  /** As of the last look. */
  state() {
    return [...(this.#discovery?.models ?? [])].map(([id, model]) => ({
      model: id,
      waiting: model.waiting,
      open: model.open,
      workers: model.workers,
      estimateMs: model.estimateMs(model.waiting),
    }));
  }

  /** Ends what is under way; what it has cost can still be told. */
  async stop(): Promise<void> {
    this.#discovery?.close();
    this.health.close();
    await this.dispatcher.close();
  }

  close(): void {
    this.redis.close();
  }
}

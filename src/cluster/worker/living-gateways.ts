import type { RedisLink } from '../../redis/link.js';

const REMEMBER_MS = 200;

/** Which gateways live: those whose stream of results is there. Asked once for all entries of a sweep. */
export class LivingGateways {
  readonly #redis: RedisLink;
  readonly #known = new Map<string, { lives: boolean; atMs: number }>();

  constructor(redis: RedisLink) {
    this.#redis = redis;
  }

  async lives(gateway: string): Promise<boolean> {
    const nowMs = performance.now();
    const known = this.#known.get(gateway);
    if (known && nowMs - known.atMs < REMEMBER_MS) return known.lives;
    const key = this.#redis.keys.results(gateway);
    const lives = (await this.#redis.commands.send(key, ['EXISTS', key])) === 1;
    if (lives) this.#known.set(gateway, { lives, atMs: nowMs });
    else this.#known.delete(gateway);
    return lives;
  }
}

import { randomUUID } from 'node:crypto';
import type { RedisLink } from '../../redis/link.js';
import { pack, unpack } from '../../redis/packing.js';
import { script } from '../../redis/script.js';
import { APPEND, LOG_LENGTH, type LogEntry, SharedLog } from '../../redis/shared-log.js';
import type { HealthExchange, HealthNews } from '../../routing/shared-health.js';

/** KEYS: state, log, what is known of the topic. ARGV: length of the log, news, ms for which it holds or 0. */
const tell = script(`${APPEND}
if tonumber(ARGV[3]) > 0 then redis.call('SET', KEYS[3], ARGV[2], 'PX', ARGV[3])
else redis.call('DEL', KEYS[3]) end
return append(KEYS[1], KEYS[2], ARGV[1], ARGV[2])`);

/** KEYS: what is known of topics. Returns {news, ms for which it still holds} or false for each. */
const recall = script(`
local found = {}
for i, key in ipairs(KEYS) do
  local news = redis.call('GET', key)
  found[i] = news and {news, redis.call('PTTL', key)}
end
return found`);

const RETRY_MS = 1_000;

interface Told {
  by: string;
  topic: string;
  news: HealthNews;
}

/**
 * News of health over Redis: a log that gateways follow, and beside it what holds of each topic for as long as it does, for who begins
 * later. While Redis is away, a gateway has what it finds out by itself, and tells it when it can.
 */
export class RedisHealth implements HealthExchange {
  readonly #redis: RedisLink;
  readonly #id = randomUUID();
  readonly #untold = new Map<string, { told: Told; untilMs: number }>(); // by topic; monotonic
  #log: SharedLog | null = null;
  #retries: NodeJS.Timeout | undefined;

  constructor(redis: RedisLink) {
    this.#redis = redis;
  }

  tell(topic: string, news: HealthNews, forMs: number): void {
    const told = { by: this.#id, topic, news };
    this.#untold.set(topic, { told, untilMs: performance.now() + forMs });
    void this.#tellAll();
  }

  async follow(topics: () => string[], hear: (topic: string, news: HealthNews) => void): Promise<void> {
    this.#log = new SharedLog('health', this.#redis, {
      lost: () => this.#recall(topics(), hear),
      changed: async (entries) => {
        for (const entry of entries) this.#hear(entry, hear);
      },
    });
    this.#retries = setInterval(() => void this.#tellAll(), RETRY_MS).unref();
    await this.#log.follow();
  }

  close(): void {
    clearInterval(this.#retries);
    this.#log?.close();
  }

  async #tellAll(): Promise<void> {
    if (!this.#redis.commands.isUp) return;
    for (const [topic, { told, untilMs }] of [...this.#untold]) {
      this.#untold.delete(topic);
      const keys = [...this.#shared('state', 'log'), this.#topic(topic)];
      const forMs = Math.max(0, Math.ceil(untilMs - performance.now()));
      const news = lasting(told.news, forMs);
      if (news === null) continue;
      try {
        await this.#redis.commands.run(tell, keys, [LOG_LENGTH, pack({ ...told, news }), forMs]);
      } catch {
        if (!this.#untold.has(topic)) this.#untold.set(topic, { told, untilMs });
      }
    }
  }

  async #recall(topics: readonly string[], hear: (topic: string, news: HealthNews) => void): Promise<void> {
    if (topics.length === 0) return;
    const keys = topics.map((topic) => this.#topic(topic));
    const found = (await this.#redis.commands.run(recall, keys, [])) as ([Buffer, number] | null)[];
    for (const each of found) {
      if (each === null) continue;
      const { topic, news } = unpack<Told>(each[0]);
      const aged = lasting(news, each[1]);
      if (aged) hear(topic, aged);
    }
  }

  #hear({ value, ageMs }: LogEntry, hear: (topic: string, news: HealthNews) => void): void {
    const { by, topic, news } = unpack<Told>(value);
    if (by === this.#id) return;
    const { change } = news.type === 'breaker' ? news : { change: null };
    const aged = change?.state === 'open' ? lasting(news, change.forMs - ageMs) : news;
    if (aged) hear(topic, aged);
  }

  #shared(...parts: string[]): string[] {
    return parts.map((part) => this.#redis.keys.shared('health', part));
  }

  #topic(topic: string): string {
    return this.#redis.keys.shared('health', `topic:${topic}`);
  }
}

/** An opening holds for what is left of its time; null: for no more. */
function lasting(news: HealthNews, leftMs: number): HealthNews | null {
  if (news.type !== 'breaker' || news.change.state !== 'open') return news;
  return leftMs <= 0 ? null : { ...news, change: { ...news.change, forMs: leftMs } };
}

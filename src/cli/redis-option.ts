import type { Command } from 'commander';
import { type Config, ConfigError, loadConfig } from '../config/index.js';
import { connectRedis, type RedisLink } from '../redis/link.js';

export interface RedisOptions {
  config?: string;
  redis?: string;
}

export function addRedisOptions(command: Command): Command {
  return command
    .option('--redis <url>', 'address (default: redis.url of the configuration)')
    .option('--config <file>', 'YAML file of settings (default: $SLUICE_CONFIG)');
}

export function redisConfig({ config: file, redis }: RedisOptions): Config {
  const flags = redis === undefined ? [] : [{ path: 'redis.url', value: redis, origin: '--redis' }];
  return loadConfig({ file: file ?? process.env.SLUICE_CONFIG, environment: process.env, flags });
}

export async function withRedis<T>(config: Config, work: (redis: RedisLink) => Promise<T>): Promise<T> {
  const link = await connectRedis(config.redis);
  try {
    return await work(link);
  } finally {
    link.close();
  }
}

/** For commands that are nothing without Redis. */
export async function withRequiredRedis<T>(
  options: RedisOptions,
  work: (redis: RedisLink, config: Config) => Promise<T>,
): Promise<T> {
  const config = redisConfig(options);
  if (config.redis.url === '') throw new ConfigError(['redis.url: say which Redis; give --redis']);
  return await withRedis(config, (redis) => work(redis, config));
}

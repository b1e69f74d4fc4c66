import { setTimeout as delay } from 'node:timers/promises';
import type { ClusterWorld } from './world.js';

/** A lease, until what dead gateways left is swept up, and some. */
const PATIENCE_MS = 15_000;

const COUNT = `
local left = 0
for _, key in ipairs(redis.call('KEYS', '*:work:*')) do left = left + redis.call('XLEN', key) end
for _, key in ipairs(redis.call('KEYS', '*:home:*')) do left = left + redis.call('XLEN', key) end
left = left + #redis.call('KEYS', '*:body:*')
return left + math.max(0, #redis.call('KEYS', '*:results') - ARGV[1])`;

/** Entries of queues, bodies of requests, and results of dead gateways that stay when nobody asks for anything any more. */
export async function leftInRedis({ redis, gateways }: ClusterWorld): Promise<number> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const left = Number(redis.cli('EVAL', COUNT, '0', String(gateways.length)));
    if (left === 0 || performance.now() > until) return left;
    await delay(50);
  }
}

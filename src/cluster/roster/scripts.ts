import { GROUP } from '../queue/scripts.js';
import { script } from '../redis/script.js';

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`;

/**
 * A worker's sign of life; those whose lease has run out are forgotten, their consumers too. KEYS: workers, leases,
 * description, streams. ARGV: worker, lease in ms, what it says of itself,
 * how the names of workers' own streams begin. Returns whether the description is known.
 */
export const announce = script(`${NOW}
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('ZADD', KEYS[2], now + ARGV[2], ARGV[1])
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)) do
  redis.call('HDEL', KEYS[1], dead)
  redis.call('ZREM', KEYS[2], dead)
  redis.call('DEL', ARGV[4] .. dead) -- of the same slot
  for i = 4, #KEYS do redis.pcall('XGROUP', 'DELCONSUMER', KEYS[i], '${GROUP}', dead) end
end
return redis.call('EXISTS', KEYS[3])`);

/** A worker goes. KEYS: workers, leases, its own stream, the shared streams. ARGV: worker. */
export const leave = script(`
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('DEL', KEYS[3])
for i = 4, #KEYS do
  local pending = redis.pcall('XPENDING', KEYS[i], '${GROUP}', '-', '+', 1, ARGV[1])
  if not pending.err and not pending[1] then redis.pcall('XGROUP', 'DELCONSUMER', KEYS[i], '${GROUP}', ARGV[1]) end
end
return 1`);

/** KEYS: workers, leases. Returns what each living worker says of itself. */
export const members = script(`${NOW}
local living = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. now, '+inf')
if #living == 0 then return {} end
return redis.call('HMGET', KEYS[1], unpack(living))`);

/** KEYS: models. ARGV: model. */
export const announceModel = script(`${NOW}
return redis.call('ZADD', KEYS[1], now, ARGV[1])`);

/** Models that a worker announced within so many ms. KEYS: models. ARGV: ms. */
export const recentModels = script(`${NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[1])
return redis.call('ZRANGE', KEYS[1], 0, -1)`);

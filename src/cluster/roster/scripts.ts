import { script } from '../../redis/script.js';
import { GROUP } from '../queue/scripts.js';

const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`;

/**
 * Forgets a worker's consumers, from a key on. One that still has entries stays: without it they would look as if nobody
 * had ever taken them, and nobody would again.
 */
const FORGET_CONSUMERS = `
local function forgetConsumers(worker, first)
  local isForgotten = true
  for i = first, #KEYS do
    local pending = redis.pcall('XPENDING', KEYS[i], '${GROUP}', '-', '+', 1, worker)
    if pending.err or not pending[1] then redis.pcall('XGROUP', 'DELCONSUMER', KEYS[i], '${GROUP}', worker)
    else isForgotten = false end
  end
  return isForgotten
end`;

/**
 * A worker's sign of life; those whose lease has run out are forgotten. KEYS: workers, leases, description, streams.
 * ARGV: worker, lease in ms, what it says of itself, how the names of workers' own streams begin. Returns whether the
 * description is known.
 */
export const announce = script(`${NOW}
${FORGET_CONSUMERS}
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('ZADD', KEYS[2], now + ARGV[2], ARGV[1])
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now)) do
  redis.call('HDEL', KEYS[1], dead)
  redis.call('DEL', ARGV[4] .. dead) -- of the same slot
  if forgetConsumers(dead, 4) then redis.call('ZREM', KEYS[2], dead) end
end
return redis.call('EXISTS', KEYS[3])`);

/** A worker goes; what is left of it, others forget. KEYS: workers, leases, its own stream, the shared streams. ARGV: worker. */
export const leave = script(`
${FORGET_CONSUMERS}
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[3])
if forgetConsumers(ARGV[1], 4) then redis.call('ZREM', KEYS[2], ARGV[1])
else redis.call('ZADD', KEYS[2], 0, ARGV[1]) end
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

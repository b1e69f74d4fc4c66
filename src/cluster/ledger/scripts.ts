import { script } from '../../redis/script.js';

/** Twice the time between two signs of life of a reader. */
export const TRIM_AFTER_MS = 10_000;

/**
 * A reader has kept everything up to a position; what all readers have is dropped after a while, in which readers that Redis
 * has forgotten are heard again. Those that weren't heard of for long don't count any more. KEYS: ledger, positions of the readers (hash), when each was heard (sorted set). ARGV: reader, position,
 * silence in ms.
 */
export const acknowledge = script(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[3], now, ARGV[1])
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now - ARGV[3])) do
  redis.call('HDEL', KEYS[2], gone)
  redis.call('ZREM', KEYS[3], gone)
end
local ms, number
for _, position in ipairs(redis.call('HVALS', KEYS[2])) do
  local m, n = string.match(position, '^(%d+)-(%d+)$')
  m, n = tonumber(m), tonumber(n)
  if not ms or m < ms or (m == ms and n < number) then ms, number = m, n end
end
if ms > now - ${TRIM_AFTER_MS} then ms, number = now - ${TRIM_AFTER_MS}, 0 end
return redis.call('XTRIM', KEYS[1], 'MINID', string.format('%.0f-%.0f', ms, number + 1))`);

import { script } from '../redis/script.js';

/** Each takes the KEYS: revision, changes (sorted set of fields by revision), values (hash). */

/**
 * Writes fields, all or none, each under the next revision, and rings. ARGV: channel, the revision known to the writer, then
 * {field, value that it has now or '', new value} …. Returns whether it did.
 */
export const put = script(`
for i = 3, #ARGV, 3 do
  if (redis.call('HGET', KEYS[3], ARGV[i]) or '') ~= ARGV[i + 1] then return 0 end
end
if tonumber(redis.call('GET', KEYS[1]) or 0) < tonumber(ARGV[2]) then redis.call('SET', KEYS[1], ARGV[2]) end
for i = 3, #ARGV, 3 do
  redis.call('ZADD', KEYS[2], redis.call('INCR', KEYS[1]), ARGV[i])
  redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 2])
end
redis.call('PUBLISH', ARGV[1], '1')
return 1`);

/** ARGV: revision, how many. Returns {the newest revision, {field, its revision, value} …} of what is newer, oldest first. */
export const since = script(`
local newest = tonumber(redis.call('GET', KEYS[1]) or 0)
local found = {newest}
local changed = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[2])
for i = 1, #changed, 2 do
  found[#found + 1] = {changed[i], tonumber(changed[i + 1]), redis.call('HGET', KEYS[3], changed[i])}
end
return found`);

/**
 * Brings back what Redis has lost; of a field, the newest revision stays. ARGV: channel, the newest revision known, then
 * {field, revision, value} ….
 */
export const restore = script(`
for i = 3, #ARGV, 3 do
  local known = redis.call('ZSCORE', KEYS[2], ARGV[i])
  if not known or tonumber(known) < tonumber(ARGV[i + 1]) then
    redis.call('ZADD', KEYS[2], ARGV[i + 1], ARGV[i])
    redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 2])
  end
end
if tonumber(redis.call('GET', KEYS[1]) or 0) < tonumber(ARGV[2]) then redis.call('SET', KEYS[1], ARGV[2]) end
redis.call('PUBLISH', ARGV[1], '1')
return 1`);

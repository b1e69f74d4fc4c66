import { script } from '../../redis/script.js';

/**
 * The same again is no fault while it isn't computed. KEYS: contents, pins. ARGV: id, most that there may be, content.
 * Returns 0; 1 where there is one of that id, 2 where there are too many.
 */
export const add = script(`
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known then
  return redis.call('HEXISTS', KEYS[2], ARGV[1]) == 0 and known == ARGV[3] and 0 or 1
end
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[2]) then return 2 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 0`);

/** It is computed. KEYS: contents, pins. ARGV: id, pin. */
export const describe = script(`
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
return redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])`);

/** A request begins with it. KEYS: contents, pins, hits. ARGV: id. Returns {content, pin}, or nothing. */
export const use = script(`
local content = redis.call('HGET', KEYS[1], ARGV[1])
if not content then return false end
redis.call('HINCRBY', KEYS[3], ARGV[1], 1)
return {content, redis.call('HGET', KEYS[2], ARGV[1])}`);

/** KEYS: contents, pins, hits. ARGV: id, '1' where only one that isn't computed. Returns whether it was removed. */
export const remove = script(`
if ARGV[2] == '1' and redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then return 0 end
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[3], ARGV[1])
return redis.call('HDEL', KEYS[1], ARGV[1])`);

/** KEYS: pins, hits. Returns {id, pin, hits or false} …. */
export const list = script(`
local all = {}
local pins = redis.call('HGETALL', KEYS[1])
for i = 1, #pins, 2 do all[#all + 1] = {pins[i], pins[i + 1], redis.call('HGET', KEYS[2], pins[i])} end
return all`);

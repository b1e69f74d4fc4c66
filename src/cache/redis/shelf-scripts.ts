import { script } from '../../redis/script.js';
import { APPEND } from '../../redis/shared-log.js';

/**
 * Of a shelf's keys, all in one slot: used (sorted set of entries by their last use), expiry (by their end), sizes (hash), state
 * (hash: bytes, purges), log. An entry is a hash of its own, named by ARGV[1] and its key, which Redis lets expire.
 */
const SHELF = `${APPEND}
local used, expiry, sizes, state, log = unpack(KEYS)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local changed = {}
local function drop(key)
  redis.call('DEL', ARGV[1] .. key)
  redis.call('ZREM', used, key)
  redis.call('ZREM', expiry, key)
  local size = redis.call('HGET', sizes, key)
  if size then
    redis.call('HDEL', sizes, key)
    redis.call('HINCRBY', state, 'bytes', -size)
  end
  changed[#changed + 1] = key
end
local function dropExpired(count)
  for _, key in ipairs(redis.call('ZRANGEBYSCORE', expiry, '-inf', now, 'LIMIT', 0, count)) do drop(key) end
end
local function tell(length)
  if tonumber(length) == 0 then return end
  for from = 1, #changed, 256 do
    append(state, log, length, table.concat(changed, ' ', from, math.min(#changed, from + 255)))
  end
end`;

/**
 * Keeps an entry; beyond either bound, those go that weren't asked for longest. ARGV: how entries' names begin, length of the
 * log or 0 for none, key, lifetime in ms, bytes, most entries, most bytes, purges when it was begun or −1, then its
 * fields. Returns whether it was kept.
 */
export const put = script(`${SHELF}
local key, lifetime, bytes = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local maxEntries, maxBytes, seen = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local purges = tonumber(redis.call('HGET', state, 'purges') or 0)
if (seen >= 0 and seen ~= purges) or maxEntries == 0 or bytes > maxBytes or lifetime <= 0 then return 0 end
dropExpired(100)
drop(key)
while redis.call('ZCARD', used) >= maxEntries
  or tonumber(redis.call('HGET', state, 'bytes') or 0) + bytes > maxBytes do
  local oldest = redis.call('ZRANGE', used, 0, 0)[1]
  if not oldest then break end
  drop(oldest)
end
local name = ARGV[1] .. key
redis.call('HSET', name, 'stored', now, 'expires', now + lifetime, unpack(ARGV, 9))
redis.call('PEXPIREAT', name, now + lifetime)
redis.call('ZADD', used, now, key)
redis.call('ZADD', expiry, now + lifetime, key)
redis.call('HSET', sizes, key, bytes)
redis.call('HINCRBY', state, 'bytes', bytes)
tell(ARGV[2])
return 1`);

/** KEYS: used, state, the entry. ARGV: key, then names of fields. Returns {purges, ms, values or false}. */
export const find = script(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local purges = tonumber(redis.call('HGET', KEYS[2], 'purges') or 0)
local values = redis.call('HMGET', KEYS[3], unpack(ARGV, 2))
if not values[1] then return {purges, now, false} end
redis.call('ZADD', KEYS[1], 'XX', now, ARGV[1])
return {purges, now, values}`);

/**
 * Drops the entries that fit all that is given. ARGV: how entries' names begin, length of the log or 0, then tenant and model
 * as '=name', and the beginnings of key and prompt; '' for any. Returns how many.
 */
export const purge = script(`${SHELF}
local dropped = 0
for _, key in ipairs(redis.call('ZRANGE', used, 0, -1)) do
  local entry = redis.call('HMGET', ARGV[1] .. key, 'tenant', 'model', 'head')
  local fits = entry[1]
    and (ARGV[3] == '' or ARGV[3] == '=' .. entry[1])
    and (ARGV[4] == '' or ARGV[4] == '=' .. entry[2])
    and string.sub(key, 1, #ARGV[5]) == ARGV[5]
    and string.sub(entry[3], 1, #ARGV[6]) == ARGV[6]
  if fits then dropped = dropped + 1 end
  if fits or not entry[1] then drop(key) end
end
redis.call('HINCRBY', state, 'purges', 1)
tell(ARGV[2])
return dropped`);

/** ARGV: how entries' names begin, length of the log or 0. Returns {entries, bytes}. */
export const stats = script(`${SHELF}
dropExpired(1000)
tell(ARGV[2])
return {redis.call('ZCARD', used), tonumber(redis.call('HGET', state, 'bytes') or 0)}`);

/** KEYS: the entries. ARGV: names of fields. Returns {ms, values or false for each}. */
export const rows = script(`
local time = redis.call('TIME')
local found = {time[1] * 1000 + math.floor(time[2] / 1000)}
for i, name in ipairs(KEYS) do
  local values = redis.call('HMGET', name, unpack(ARGV))
  found[i + 1] = values[1] and values or false
end
return found`);

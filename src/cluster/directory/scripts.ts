import { script } from '../../redis/script.js';

/**
 * Each takes the KEYS: revision, changes (sorted set of fields by the revision of their last change), values (hash). A value is its
 * version, which is the revision that it was written under, a space, and JSON. Revisions grow with time, so that what is written
 * after a loss is never taken for what was lost.
 */
const WRITE = `
local function nextRevision()
  local time = redis.call('TIME')
  local revision = math.max(tonumber(redis.call('GET', KEYS[1]) or 0) + 1, time[1] * 1000000 + time[2])
  redis.call('SET', KEYS[1], string.format('%.0f', revision))
  return revision
end`;

/** Writes fields, all or none, and rings. ARGV: channel, then {field, its value now or '', new JSON} …. Returns whether it did. */
export const put = script(`${WRITE}
for i = 2, #ARGV, 3 do
  if (redis.call('HGET', KEYS[3], ARGV[i]) or '') ~= ARGV[i + 1] then return 0 end
end
for i = 2, #ARGV, 3 do
  local revision = nextRevision()
  redis.call('ZADD', KEYS[2], revision, ARGV[i])
  redis.call('HSET', KEYS[3], ARGV[i], string.format('%.0f ', revision) .. ARGV[i + 2])
end
redis.call('PUBLISH', ARGV[1], '1')
return 1`);

/**
 * What has changed after a revision, oldest first. ARGV: revision, how many, the field that was changed last as far as the
 * reader knows, or ''. Returns {field, revision, value} …, or −1 where that change is gone: what is lost is the newest, or all.
 */
export const since = script(`
if ARGV[3] ~= '' and tonumber(redis.call('ZSCORE', KEYS[2], ARGV[3]) or -1) < tonumber(ARGV[1]) then return -1 end
local found = {}
local changed = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[2])
for i = 1, #changed, 2 do
  found[#found + 1] = {changed[i], changed[i + 1], redis.call('HGET', KEYS[3], changed[i])}
end
return found`);

/** Brings back what Redis has lost, as new changes; of a field, the newest version stays. ARGV: channel, then {field, value} …. */
export const restore = script(`${WRITE}
local function version(value) return tonumber(string.match(value, '^%d+')) end
for i = 2, #ARGV, 2 do
  local known = redis.call('HGET', KEYS[3], ARGV[i])
  if not known or version(known) < version(ARGV[i + 1]) then
    redis.call('ZADD', KEYS[2], nextRevision(), ARGV[i])
    redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 1])
  end
end
redis.call('PUBLISH', ARGV[1], '1')
return 1`);

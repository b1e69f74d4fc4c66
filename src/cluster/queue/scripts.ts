import { script } from '../../redis/script.js';

/** The consumer group of every work stream. */
export const GROUP = 'workers';

/** After a request's deadline, whatever its clients' clocks say. */
const LONG_PAST_MS = 60_000;

/** Streams of workers that have gone are forgotten. */
const UNUSED_HOME_MS = 86_400_000;

const WAITING = `
local function waiting(first, last)
  local count = 0
  for i = first, last do
    local pending = redis.pcall('XPENDING', KEYS[i], '${GROUP}')
    count = count + redis.call('XLEN', KEYS[i]) - (pending.err and 0 or pending[1])
  end
  return count
end`;

/** What nobody took out goes from the set of open entries when its time is long over. Returns Redis's ms. */
const PURGE = `
local function purge(open)
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('ZREMRANGEBYSCORE', open, '-inf', now)
  return now
end`;

/**
 * Puts a request at the end of a stream, unless too many wait; into that of the worker which its conversation is at, where that
 * one may be given more. One that replaces an earlier entry of the same request was counted already. KEYS: stream, body,
 * stream of the entry it replaces, open entries, conversation, the model's shared streams. ARGV: limit, id of the entry it
 * replaces or '', body or '', its lifetime in ms, bell, how the names of workers' own streams begin, workers that may be given more (each between
 * line ends), then the fields. Returns {id or false, waiting, stream}.
 */
export const enqueue = script(`${WAITING}${PURGE}
local count = waiting(6, #KEYS)
if ARGV[2] ~= '' then
  redis.pcall('XACK', KEYS[3], '${GROUP}', ARGV[2])
  redis.call('XDEL', KEYS[3], ARGV[2])
  redis.call('ZREM', KEYS[4], ARGV[2])
elseif count >= tonumber(ARGV[1]) then
  return {false, count, KEYS[1]}
end
if ARGV[3] ~= '' then redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4]) end
local stream = KEYS[1]
local home = ARGV[7] ~= '' and redis.call('GET', KEYS[5])
if home and string.find(ARGV[7], '\\n' .. home .. '\\n', 1, true) then stream = ARGV[6] .. home end
local id = redis.call('XADD', stream, '*', unpack(ARGV, 8))
if string.sub(stream, 1, #ARGV[6]) == ARGV[6] then redis.call('PEXPIRE', stream, ${UNUSED_HOME_MS}) end
redis.call('ZADD', KEYS[4], purge(KEYS[4]) + ARGV[4] + ${LONG_PAST_MS}, id)
redis.call('PUBLISH', ARGV[5], '1')
return {id, count, stream}`);

/**
 * Takes requests, most urgent first, until their sequences fill the room; what has waited too long is dropped. Their conversations
 * are at this worker from now on. KEYS: streams in order, open entries. ARGV: worker, room, how the names of conversations begin, ms for which
 * they are remembered. Returns {Redis's ms, {stream as an index of KEYS, id, fields} …}.
 */
export const take = script(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local room = tonumber(ARGV[2])
local taken = {now}
local function read(stream)
  return redis.pcall('XREADGROUP', 'GROUP', '${GROUP}', ARGV[1], 'COUNT', 1, 'STREAMS', stream, '>')
end
for i = 1, #KEYS - 1 do
  local stream = KEYS[i]
  while room > 0 do
    local reply = read(stream)
    if reply and reply.err then
      if not string.find(reply.err, 'NOGROUP') then return reply end
      redis.call('XGROUP', 'CREATE', stream, '${GROUP}', '0', 'MKSTREAM')
      reply = read(stream)
    end
    if not reply then break end
    local id, fields = reply[1][2][1][1], reply[1][2][1][2]
    local values = {}
    for f = 1, #fields, 2 do values[fields[f]] = fields[f + 1] end
    if now - tonumber(string.match(id, '^%d+')) > tonumber(values.waitMs) then
      redis.call('XACK', stream, '${GROUP}', id)
      redis.call('XDEL', stream, id)
      redis.call('ZREM', KEYS[#KEYS], id)
    else
      room = room - tonumber(values.sequences)
      if values.conversation and values.conversation ~= '' then
        redis.call('SET', ARGV[3] .. values.conversation, ARGV[1], 'PX', ARGV[4]) -- of the same slot
      end
      taken[#taken + 1] = {i, id, fields}
    end
  end
end
return taken`);

/** Takes a request out, whether or not a worker has it. KEYS: stream, body, open entries. ARGV: id. */
export const remove = script(`
redis.pcall('XACK', KEYS[1], '${GROUP}', ARGV[1])
redis.call('DEL', KEYS[2])
redis.call('ZREM', KEYS[3], ARGV[1])
return redis.call('XDEL', KEYS[1], ARGV[1])`);

/**
 * What has become of entries. KEYS: stream. ARGV: ids. Returns for each: −2 it is gone, −1 it waits, else how many ms ago
 * it was taken.
 */
export const inspect = script(`
local states = {}
for i, id in ipairs(ARGV) do
  local pending = redis.pcall('XPENDING', KEYS[1], '${GROUP}', id, id, 1)
  if not pending.err and pending[1] then states[i] = pending[1][3]
  elseif redis.call('XRANGE', KEYS[1], id, id)[1] then states[i] = -1
  else states[i] = -2 end
end
return states`);

/** Whose the next entries are. KEYS: stream. ARGV: id after which to look, or '-'; how many. Returns {id, request, gateway, over} …. */
export const owners = script(`
local now = redis.call('TIME')[1] * 1000
local from = ARGV[1] == '-' and '-' or '(' .. ARGV[1]
local found = {}
for i, entry in ipairs(redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', ARGV[2])) do
  local values = {}
  for f = 1, #entry[2], 2 do values[entry[2][f]] = entry[2][f + 1] end
  local age = now - string.match(entry[1], '^%d+')
  found[i] = {entry[1], values.request, values.gateway, age > values.deadlineMs + ${LONG_PAST_MS} and 1 or 0}
end
return found`);

/** How many wait. KEYS: streams. */
export const waiting = script(`${WAITING}
return waiting(1, #KEYS)`);

/** How many wait or run. KEYS: open entries. */
export const open = script(`${PURGE}
purge(KEYS[1])
return redis.call('ZCARD', KEYS[1])`);

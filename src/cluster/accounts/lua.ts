/**
 * The windows of `limits/window.ts` and `limits/account.ts` in Lua: what one scope has used lies in one hash. Scripts begin
 * with this; KEYS[1] is the shard's clock, KEYS[2] its leases. A shard without a clock has forgotten everything, or never
 * knew: the script then returns UNKNOWN. Numbers are whole and below 2^53.
 */
const CLOCK = `
local UNKNOWN, BUCKETS, DAY_MS, KEEP_MS = -1, 61, 86400000, 40 * 86400000
local time = redis.call('TIME')
local wall = time[1] * 1000 + math.floor(time[2] / 1000)
local skew, heard = 0, nil`;

/** \`steady\` never goes back, whatever happens to the wall clock. */
const PROCEED = `
local seen = redis.call('HMGET', KEYS[1], 'wall', 'skew', 'heard')
if not seen[1] then return {UNKNOWN} end
skew, heard = tonumber(seen[2]) + math.max(0, seen[1] - wall), tonumber(seen[3])`;

const WINDOWS = `
local steady = wall + skew
local second = math.floor(steady / 1000)
redis.call('HSET', KEYS[1], 'wall', wall, 'skew', skew, 'heard', steady)

-- Days since 1970 on which the day, week and month of a moment began.
local function periods(at)
  local day = math.floor(at / DAY_MS)
  -- Howard Hinnant, chrono-Compatible Low-Level Date Algorithms, civil_from_days.
  local era = math.floor((day + 719468) / 146097)
  local dayOfEra = day + 719468 - era * 146097
  local year = math.floor((dayOfEra - math.floor(dayOfEra / 1460) + math.floor(dayOfEra / 36524)
    - math.floor(dayOfEra / 146096)) / 365)
  local dayOfYear = dayOfEra - (365 * year + math.floor(year / 4) - math.floor(year / 100))
  local month = math.floor((5 * dayOfYear + 2) / 153)
  return {day = day, week = day - (day + 3) % 7, month = day - (dayOfYear - math.floor((153 * month + 2) / 5))}
end

local function place(at)
  local all = periods(at)
  all.second = math.min(second, math.floor((at + skew) / 1000))
  return all
end

local function endOf(period, start)
  if period == 'day' then return (start + 1) * DAY_MS end
  if period == 'week' then return (start + 7) * DAY_MS end
  return periods((start + 31) * DAY_MS).month * DAY_MS
end

local here = place(wall)
local FIELDS = {'second', 'requests', 'tokens', 'day', 'dayRequests', 'dayTokens', 'dayHeld', 'daySettled', 'week',
  'weekHeld', 'weekSettled', 'month', 'monthHeld', 'monthSettled', 'running'}

local function buckets(unit, from, count)
  local names = {}
  for i = 0, count - 1 do names[i + 1] = unit .. (from + i) % BUCKETS end
  return names
end

-- Forgets the buckets that have left the minute.
local function advance(use)
  local passed = math.min(second - use.second, BUCKETS)
  if passed <= 0 then return end
  for _, unit in ipairs({'requests', 'tokens'}) do
    if use[unit] > 0 then
      local names = buckets(unit, second - passed + 1, passed)
      for _, amount in ipairs(redis.call('HMGET', use.key, unpack(names))) do
        use[unit] = use[unit] - tonumber(amount or 0)
      end
      redis.call('HDEL', use.key, unpack(names))
    end
  end
  use.second = second
end

local function open(key)
  local use, values = {key = key}, redis.call('HMGET', key, unpack(FIELDS))
  for i, name in ipairs(FIELDS) do use[name] = tonumber(values[i] or 0) end
  advance(use)
  for _, period in ipairs({'day', 'week', 'month'}) do
    -- A clock that is set back stays in the later period.
    if here[period] > use[period] then
      use[period], use[period .. 'Held'], use[period .. 'Settled'] = here[period], 0, 0
      if period == 'day' then use.dayRequests, use.dayTokens = 0, 0 end
    end
  end
  return use
end

local function openAll(first)
  local all = {}
  for i = first, #KEYS do all[#all + 1] = open(KEYS[i]) end
  return all
end

local function save(use)
  local fields = {}
  for _, name in ipairs(FIELDS) do
    fields[#fields + 1] = name
    fields[#fields + 1] = use[name]
  end
  redis.call('HSET', use.key, unpack(fields))
  redis.call('PEXPIRE', use.key, KEEP_MS)
end

-- Counts amounts (requests, tokens, nanodollars) at a place, where that is still within its window.
local function add(use, at, amounts, sign)
  for i, unit in ipairs({'requests', 'tokens'}) do
    local amount = sign * amounts[i]
    if amount ~= 0 and at.second > use.second - BUCKETS then
      redis.call('HINCRBY', use.key, unit .. at.second % BUCKETS, amount)
      use[unit] = use[unit] + amount
    end
  end
  if at.day == use.day then
    use.dayRequests = use.dayRequests + sign * amounts[1]
    use.dayTokens = use.dayTokens + sign * amounts[2]
  end
  for _, period in ipairs({'day', 'week', 'month'}) do
    if at[period] == use[period] then use[period .. 'Held'] = use[period .. 'Held'] + sign * amounts[3] end
  end
end

local function addSettled(use, at, nanodollars)
  for _, period in ipairs({'day', 'week', 'month'}) do
    if at[period] == use[period] then use[period .. 'Settled'] = use[period .. 'Settled'] + nanodollars end
  end
end`;

/**
 * What each bound allows. The limits of scope s are ARGV[first + 7 (s − 1) …]: requests and tokens per minute and per day,
 * concurrency, budget and its period; '' where there is none.
 */
const BOUNDS = `
local NEVER = -1

local function minuteWait(use, unit, amount, limit)
  if amount > limit then return NEVER end
  local excess = use[unit] + amount - limit
  if excess <= 0 then return 0 end
  for i, old in ipairs(redis.call('HMGET', use.key, unpack(buckets(unit, second + 1, BUCKETS)))) do
    excess = excess - tonumber(old or 0)
    if excess <= 0 then return (second + i) * 1000 - steady end
  end
  return NEVER
end

local function minuteReset(use, unit)
  if use[unit] == 0 then return 0 end
  local all = redis.call('HMGET', use.key, unpack(buckets(unit, second + 1, BUCKETS)))
  for i = BUCKETS, 1, -1 do
    if tonumber(all[i] or 0) > 0 then return (second + i) * 1000 - steady end
  end
  return 0
end

local function periodWait(used, amount, limit, over)
  if amount > limit then return NEVER end
  return used + amount <= limit and 0 or over - wall
end

-- {used, ms until it is reset, ms until the amount fits or NEVER} of every bound, scope by scope.
local function boundsOf(uses, first, amounts)
  local all = {}
  local function bound(used, reset, wait) all[#all + 1] = {used, reset, wait} end
  for s, use in ipairs(uses) do
    local limits = {}
    for i = 1, 7 do limits[i] = tonumber(ARGV[first + 7 * (s - 1) + i - 1]) end
    for i, unit in ipairs({'requests', 'tokens'}) do
      if limits[i] then
        local wait = amounts[i] == 0 and 0 or minuteWait(use, unit, amounts[i], limits[i])
        bound(use[unit], minuteReset(use, unit), wait)
      end
    end
    for i, name in ipairs({'dayRequests', 'dayTokens'}) do
      if limits[2 + i] then
        local over = endOf('day', use.day)
        local wait = amounts[i] == 0 and 0 or periodWait(use[name], amounts[i], limits[2 + i], over)
        bound(use[name], use[name] > 0 and over - wall or 0, wait)
      end
    end
    if limits[6] then
      local period = ARGV[first + 7 * (s - 1) + 6]
      local held, over = use[period .. 'Held'], endOf(period, use[period])
      local wait = amounts[3] == 0 and 0 or periodWait(held, amounts[3], limits[6], over)
      bound(held, held > 0 and over - wall or 0, wait)
    end
  end
  return all
end

-- Scopes, by number, that run as many requests as they may.
local function busyOf(uses, first)
  local busy = {}
  for s, use in ipairs(uses) do
    local concurrency = tonumber(ARGV[first + 7 * (s - 1) + 4])
    if concurrency and use.running >= concurrency then busy[#busy + 1] = s end
  end
  return busy
end

local function fits(bounds, busy)
  if #busy > 0 then return false end
  for _, bound in ipairs(bounds) do if bound[3] ~= 0 then return false end end
  return true
end`;

/** What scopes have spent in a period: {when it began in ms, settled, reserved, requests that run}. */
const STANDINGS = `
local function standingOf(use, period)
  local settled = use[period .. 'Settled']
  return {use[period] * DAY_MS, settled, use[period .. 'Held'] - settled, use.running}
end`;

/**
 * What running requests hold lies in a hash for each gateway; a gateway's lease stands for all of them. Where nobody was heard
 * for long, Redis itself was away: then everyone gets another lease. ARGV[1]: gateway, ARGV[2]: lease in ms; KEYS[3]: what it
 * holds.
 */
const LEASES = `
local FREED_AT_ONCE = 200
local gateway, lease = ARGV[1], tonumber(ARGV[2])

local function packHeld(at, amounts, keys)
  return cmsgpack.pack({at.second, at.day, at.week, at.month, amounts[1], amounts[2], amounts[3], keys})
end

local function unpackHeld(packed)
  local r = cmsgpack.unpack(packed)
  return {second = r[1], day = r[2], week = r[3], month = r[4]}, {r[5], r[6], r[7]}, r[8]
end

local function useKeys(first)
  local keys = {}
  for i = first, #KEYS do keys[#keys + 1] = KEYS[i] end
  return keys
end

local function free(packed)
  local at, amounts, keys = unpackHeld(packed)
  for _, key in ipairs(keys) do
    local use = open(key)
    add(use, at, amounts, -1)
    use.running = use.running - 1
    save(use)
  end
end

-- Frees what gateways hold whose lease has run out; their hashes are of the same slot.
local function sweep()
  if steady - heard > lease / 2 then
    for _, each in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do redis.call('ZADD', KEYS[2], steady + lease, each) end
    return
  end
  local dead = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', steady, 'LIMIT', 0, 1)[1]
  if not dead or dead == gateway then return end
  local key = string.sub(KEYS[3], 1, -#gateway - 1) .. dead
  local held = redis.call('HRANDFIELD', key, FREED_AT_ONCE, 'WITHVALUES')
  for i = 1, #held, 2 do
    free(held[i + 1])
    redis.call('HDEL', key, held[i])
  end
  if redis.call('HLEN', key) == 0 then redis.call('ZREM', KEYS[2], dead) end
end

local function stay() redis.call('ZADD', KEYS[2], steady + lease, gateway) end`;

export const lua = {
  known: `${CLOCK}${PROCEED}${WINDOWS}`,
  /** For who brings a shard its clock. */
  begin: `${CLOCK}${WINDOWS}`,
  bounds: BOUNDS,
  standings: STANDINGS,
  leases: LEASES,
};

import { script } from '../../redis/script.js';
import { lua } from './lua.js';

/**
 * Each a change of one shard's accounts, whole or not at all. KEYS: clock, leases, what the gateway holds, then the use of each
 * scope, from the narrowest. ARGV: gateway, lease in ms, request, …
 */

/** A gateway that was away for longer than this, and settles again what was brought back for it, is counted twice. */
const RESTORED_MS = 3_600_000;

/** ARGV[4..6]: requests, tokens, nanodollars. */
const AMOUNTS = `
local id = ARGV[3]
local amounts = {tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])}`;

/** Holds the amounts of the request in every use, counted at that time. */
const HOLD_ALL = `
local function holdAll(uses, at)
  for _, use in ipairs(uses) do
    add(use, at, amounts, 1)
    use.running = use.running + 1
    save(use)
  end
  redis.call('HSET', KEYS[3], id, packHeld(at, amounts, useKeys(4)))
  stay()
end`;

/** {1 or 0, ms since 1970, busy scopes, bounds, standings of the scopes with a budget}. */
const DECIDED = `
local function decided(isTaken, uses, bounds, busy)
  local standings = {}
  for s, use in ipairs(uses) do
    local period = ARGV[7 + 7 * (s - 1) + 6]
    standings[s] = standingOf(use, period == '' and 'month' or period)
  end
  return {isTaken and 1 or 0, wall, busy, bounds, standings}
end`;

const decision = `${lua.known}${lua.bounds}${lua.standings}${lua.leases}${AMOUNTS}${DECIDED}`;

/** Counts a request against every bound, or against none. ARGV from 7 on: the limits of the scopes. */
export const take = script(`${decision}${HOLD_ALL}
sweep()
local uses = openAll(4)
local bounds, busy = boundsOf(uses, 7, amounts), busyOf(uses, 7)
if not fits(bounds, busy) then return decided(false, uses, bounds, busy) end
holdAll(uses, here)
return decided(true, uses, boundsOf(uses, 7, {0, 0, 0}), {})`);

/** Holds these amounts instead, counted now, or what was held before. ARGV as for take. Returns {−2} where nothing is held. */
export const change = script(`${decision}
sweep()
local packed = redis.call('HGET', KEYS[3], id)
if not packed then return {-2} end
local at, before = unpackHeld(packed)
local uses = openAll(4)
for _, use in ipairs(uses) do add(use, at, before, -1) end
local bounds = boundsOf(uses, 7, amounts)
local isTaken = fits(bounds, {})
for _, use in ipairs(uses) do
  if isTaken then add(use, here, amounts, 1) else add(use, at, before, 1) end
  save(use)
end
if not isTaken then return decided(false, uses, bounds, {}) end
redis.call('HSET', KEYS[3], id, packHeld(here, amounts, useKeys(4)))
return decided(true, uses, boundsOf(uses, 7, {0, 0, 0}), {})`);

/** Holds without asking what was let in before and is not held any more. ARGV[7]: when that was, in ms since 1970. */
export const hold = script(`${lua.known}${lua.leases}${AMOUNTS}${HOLD_ALL}
if redis.call('HEXISTS', KEYS[3], id) == 1 then return {0} end
holdAll(openAll(4), place(tonumber(ARGV[7])))
return {1}`);

/**
 * The end of a request: the amounts are what it used, counted where they were reserved. What was counted before stays as it
 * is. KEYS[4]: ledger, KEYS[5]: requests that their gateway may settle again (hash), KEYS[6]: that this one was brought back,
 * then the scopes. ARGV[7]: when it was admitted, for a request that isn't held any more; ARGV[8]: the ledger's entry;
 * ARGV[9 …]: period of each scope's budget. Returns the standings.
 */
export const settle = script(`${lua.known}${lua.standings}${lua.leases}${AMOUNTS}
local uses = openAll(7)
local packed = redis.call('HGET', KEYS[3], id)
local isRestored = redis.call('EXISTS', KEYS[6]) == 1
local isNew = redis.call('HSETNX', KEYS[5], id, '') == 1
if isNew then
  -- What was brought back isn't in the ledger any more; readers that have it pass it over.
  redis.call('XADD', KEYS[4], '*', 'entry', ARGV[8])
  redis.call('PEXPIRE', KEYS[5], KEEP_MS)
end
local isToCount = isNew and not isRestored
if packed or isToCount then
  local at, before = place(tonumber(ARGV[7])), {0, 0, 0}
  if packed then at, before = unpackHeld(packed) end
  for _, use in ipairs(uses) do
    add(use, at, before, -1)
    if packed then use.running = use.running - 1 end
    if isToCount then
      add(use, at, amounts, 1)
      addSettled(use, at, amounts[3])
    end
    save(use)
  end
  redis.call('HDEL', KEYS[3], id)
end
local standings = {}
for s, use in ipairs(uses) do standings[s] = standingOf(use, ARGV[8 + s]) end
return standings`);

/** As if the request had never been. KEYS: clock, leases, what the gateway holds. */
export const release = script(`${lua.known}${lua.leases}
local packed = redis.call('HGET', KEYS[3], ARGV[3])
if packed then
  free(packed)
  redis.call('HDEL', KEYS[3], ARGV[3])
end
return {1}`);

/** A gateway's sign of life. Returns {1, the requests that are held for it}. */
export const renew = script(`${lua.known}${lua.leases}
local held = redis.call('HKEYS', KEYS[3])
if #held > 0 then stay() else redis.call('ZREM', KEYS[2], gateway) end
sweep()
return {1, held}`);

/** ARGV[3 …]: period of each scope. Returns the standings. */
export const standings = script(`${lua.known}${lua.standings}${lua.leases}
sweep()
local found = {}
for s, use in ipairs(openAll(4)) do found[s] = standingOf(use, ARGV[2 + s]) end
return found`);

/**
 * Brings back what the ledger says was used, where the shard knows nothing. KEYS: clock, scopes. ARGV: the days since 1970 on which
 * the ledger's day, week and month began; for each scope its requests and tokens of the day and nanodollars of day, week and
 * month; then {number of the scope, ms since 1970, requests, tokens} of the last minute; how the names of marks of requests
 * that were brought back begin, and the requests among what was used that may be settled again, between spaces. Returns
 * whether it did.
 */
export const restore = script(`
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
${lua.begin}
local uses = {}
for i = 2, #KEYS do
  local use, first = open(KEYS[i]), 4 + 5 * (i - 2)
  local day, week, month = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
  local total = function(n) return tonumber(ARGV[first + n]) end
  if day == use.day then
    use.dayRequests, use.dayTokens, use.dayHeld, use.daySettled = total(0), total(1), total(2), total(2)
  end
  if week == use.week then use.weekHeld, use.weekSettled = total(3), total(3) end
  if month == use.month then use.monthHeld, use.monthSettled = total(4), total(4) end
  uses[i - 1] = use
end
for i = 4 + 5 * (#KEYS - 1), #ARGV - 2, 4 do
  local use = uses[tonumber(ARGV[i])]
  local at = {second = place(tonumber(ARGV[i + 1])).second}
  add(use, at, {tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3]), 0}, 1)
end
for _, use in ipairs(uses) do save(use) end
for id in string.gmatch(ARGV[#ARGV], '%S+') do redis.call('SET', ARGV[#ARGV - 1] .. id, '', 'PX', ${RESTORED_MS}) end -- of the same slot
return 1`);

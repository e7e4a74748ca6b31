/** Counters in Redis, shared by all nodes. One script reserves room in all counters of a call, so that no race exceeds a limit. */
import { type Redis, type RedisScript, redisScript } from '../storage/redis.ts';
import type { Demand } from './limit-requests.ts';
import { createNodeView } from './node-view.ts';
import { type Actual, amountWait, minuteMs, type Place, type QuotaStore, type Verdict, windowSum, windowWait } from './counter-store.ts';

/*
 * Two keys for each counter. A window has the count of this minute and that of the previous one.
 * Other counters have a hash (settled, reserved) and a sorted set of leases `<id>:<amount>`, ordered by expiry.
 * Expired leases return the reservations of a dead node. Leases and keys expire by the clock of Redis: those of nodes may differ or be set.
 */
const takeScript: RedisScript = redisScript(`
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local id, lease = ARGV[1], now + tonumber(ARGV[2])
local share = tonumber(ARGV[3])
local refused, answer = 0, {0}
for i = 1, #KEYS / 2 do
  local a, b, at = KEYS[2 * i - 1], KEYS[2 * i], 3 + (i - 1) * 4
  local kind, limit, amount = ARGV[at + 1], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local used
  if kind == 'window' then
    local current, before = tonumber(redis.call('GET', a) or '0'), tonumber(redis.call('GET', b) or '0')
    used = current + before * share
    answer[#answer + 1] = tostring(current)
    answer[#answer + 1] = tostring(before)
  else
    local dead = redis.call('ZRANGEBYSCORE', b, '-inf', now, 'LIMIT', 0, 1000)
    for _, member in ipairs(dead) do
      redis.call('ZREM', b, member)
      local held = string.match(member, ':(%d+)$')
      -- Redis refuses minus zero.
      if held ~= '0' then redis.call('HINCRBY', a, 'reserved', '-' .. held) end
    end
    local held = redis.call('HMGET', a, 'settled', 'reserved')
    used = tonumber(held[1] or '0') + tonumber(held[2] or '0')
    answer[#answer + 1] = string.format('%.9f', used)
    answer[#answer + 1] = held[1] or '0'
  end
  -- Money has fractions: the rounding error of their sum is not an excess.
  if refused == 0 and used + amount > limit + 0.000001 then refused = i end
end
if refused == 0 then
  for i = 1, #KEYS / 2 do
    local a, b, at = KEYS[2 * i - 1], KEYS[2 * i], 3 + (i - 1) * 4
    if ARGV[at + 1] == 'window' then
      redis.call('INCRBY', a, ARGV[at + 3])
      redis.call('PEXPIRE', a, 180000)
    else
      redis.call('HINCRBY', a, 'reserved', ARGV[at + 3])
      redis.call('ZADD', b, string.format('%.0f', lease), id .. ':' .. ARGV[at + 3])
      redis.call('PEXPIRE', a, ARGV[at + 4])
      redis.call('PEXPIRE', b, ARGV[at + 4])
    end
  end
end
answer[1] = tostring(refused)
return answer
`);

/*
 * An expired lease has already returned its reservation, so only the actual use is added.
 * `again`: an earlier try may have succeeded. Only the part that the lease proves is repeated; the rest fades or comes from the ledger.
 */
const settleScript: RedisScript = redisScript(`
local id, again = ARGV[1], ARGV[2] == '1'
for i = 1, #KEYS / 2 do
  local a, b, at = KEYS[2 * i - 1], KEYS[2 * i], 2 + (i - 1) * 4
  local kind, amount, used = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  if kind == 'window' then
    local change = tonumber(used) - tonumber(amount)
    if change ~= 0 and not again and redis.call('EXISTS', a) == 1 then redis.call('INCRBY', a, string.format('%.0f', change)) end
  else
    local held = redis.call('ZREM', b, id .. ':' .. amount) == 1
    if held and amount ~= '0' then redis.call('HINCRBY', a, 'reserved', '-' .. amount) end
    if kind == 'spend' and used ~= '0' and (held or not again) then
      redis.call('HINCRBYFLOAT', a, 'settled', used)
      redis.call('PEXPIRE', a, ARGV[at + 4])
    end
  end
end
`);

const atLeastScript: RedisScript = redisScript(`
local known = tonumber(redis.call('HGET', KEYS[1], 'settled') or '0')
if known < tonumber(ARGV[1]) then redis.call('HSET', KEYS[1], 'settled', ARGV[1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
`);

/** Kept longer than the counting period, for calls that end late. */
const keepMs = 7_200_000;

/** The most calls that may end while Redis is unavailable. */
const mostUnsettled = 10_000;

const isWindow = ({ measure }: Demand): boolean => measure === 'requests' || measure === 'tokens';
const kindOf = (demand: Demand): string => (isWindow(demand) ? 'window' : demand.measure);

/** Money is in micro-units with a fraction; all other measures are whole numbers. */
const usedText = ({ measure }: Demand, used: number): string =>
  measure === 'spend' && used > 0 && !Number.isInteger(used) ? used.toFixed(9) : String(Math.max(0, Math.round(used)));

function keysOf(demand: Demand, at: number): string[] {
  const key = `pailou:${demand.key}`;
  if (!isWindow(demand)) return [key, `${key}:leases`];
  const minute = Math.floor(at / minuteMs);
  return [`${key}:${minute}`, `${key}:${minute - 1}`];
}

/** Rejects with RedisUnavailable when Redis does not answer in time. */
export function createRedisStore(redis: Redis, failed: (error: unknown) => void): QuotaStore {
  /** In milliseconds from now. */
  const expiryOf = ({ until }: Demand, at: number, leaseMs = 0): string => String(Math.max(until - at, leaseMs, 0) + keepMs);

  /** Settlements to repeat when Redis is back. The oldest are dropped; their leases expire. */
  const unsettled: { readonly place: Place; readonly actual: Actual }[] = [];
  const keep = (place: Place, actual: Actual): void => {
    unsettled.push({ place, actual });
    if (unsettled.length > mostUnsettled) unsettled.shift();
  };

  const settleOnce = ({ id, demands, at }: Place, actual: Actual, again: boolean): Promise<unknown> => {
    const keys = demands.flatMap((demand) => keysOf(demand, at));
    const values = demands.flatMap((demand, index) => [
      kindOf(demand),
      String(demand.amount),
      usedText(demand, actual[index] ?? 0),
      expiryOf(demand, at),
    ]);
    return redis.run(settleScript, keys, [id, again ? '1' : '0', ...values]);
  };
  const settle = (place: Place, actual: Actual): void => {
    settleOnce(place, actual, false).catch((error: unknown) => {
      failed(error);
      keep(place, actual);
    });
  };

  const known = createNodeView();

  redis.onReady(() => {
    for (const { place, actual } of unsettled.splice(0)) settleOnce(place, actual, true).catch(() => keep(place, actual));
    for (const { text } of [takeScript, settleScript, atLeastScript])
      redis
        .ask((client) => client.scriptLoad(text))
        .catch(() => {
          // The script is then sent with its first use.
        });
  });

  return {
    async take(place, leaseUntil): Promise<Verdict> {
      const { id, demands, at } = place;
      const keys = demands.flatMap((demand) => keysOf(demand, at));
      const values = demands.flatMap((demand) => [
        kindOf(demand),
        String(demand.limit),
        String(demand.amount),
        expiryOf(demand, at, leaseUntil - at),
      ]);
      const share = 1 - (at % minuteMs) / minuteMs;
      const nothing = demands.map(() => 0);
      const asked = redis.run(takeScript, keys, [id, String(leaseUntil - at), String(share), ...values], (late) => {
        // The caller no longer waits, so the reservation is returned.
        if ((late as string[])[0] === '0') settle(place, nothing);
      });
      const answer = (await asked.catch((error: unknown) => {
        // The script may have run before the connection broke.
        keep(place, nothing);
        throw error;
      })) as string[];
      const [refused = '0', ...numbers] = answer;
      const counters = demands.map((demand, index) => {
        const [first = 0, second = 0] = numbers.slice(2 * index, 2 * index + 2).map(Number);
        const { limit, amount } = demand;
        if (isWindow(demand)) return { used: windowSum(first, second, at), waitMs: windowWait(first, second, limit, amount, at) };
        return { used: first, settled: second, waitMs: first + amount > limit ? amountWait(demand, at) : 0 };
      });
      const verdict = { refused: refused === '0' ? null : Number(refused) - 1, counters };
      known.took(place, verdict);
      return verdict;
    },
    peek: (demands, at) => known.peek(demands, at),
    settle(place, actual) {
      known.settled(place);
      settle(place, actual);
    },
    async atLeast(key, amount, until) {
      await redis.run(atLeastScript, [`pailou:${key}`], [String(amount), String(Math.max(until - Date.now(), 0) + keepMs)]);
    },
  };
}

/** Counters in Redis, shared by all nodes. One script takes room in all of a call's counters at once, so that no race overruns a limit. */
import { type Redis, type RedisScript, redisScript } from '../storage/redis.ts';
import type { Demand } from './limit-requests.ts';
import { createNodeView } from './node-view.ts';
import { type Actual, heldWait, minuteMs, type Place, type QuotaStore, type Verdict, windowSum, windowWait } from './counter-store.ts';

/*
 * Two keys for each demand. A window: this minute's count and that of the one before.
 * All others: a hash (settled, reserved) and a sorted set of leases `<id>:<amount>` by the time at which they end,
 * so that the room of a node that died comes back by itself.
 */
const takeScript: RedisScript = redisScript(`
local now, id, lease = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local share = tonumber(ARGV[4])
local refused, answer = 0, {0}
for i = 1, #KEYS / 2 do
  local a, b, at = KEYS[2 * i - 1], KEYS[2 * i], 4 + (i - 1) * 4
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
      -- Redis takes no minus zero.
      if held ~= '0' then redis.call('HINCRBY', a, 'reserved', '-' .. held) end
    end
    local held = redis.call('HMGET', a, 'settled', 'reserved')
    used = tonumber(held[1] or '0') + tonumber(held[2] or '0')
    answer[#answer + 1] = string.format('%.9f', used)
    answer[#answer + 1] = held[1] or '0'
  end
  -- Money has a fraction: what its rounding adds up to is no excess.
  if refused == 0 and used + amount > limit + 0.000001 then refused = i end
end
if refused == 0 then
  for i = 1, #KEYS / 2 do
    local a, b, at = KEYS[2 * i - 1], KEYS[2 * i], 4 + (i - 1) * 4
    if ARGV[at + 1] == 'window' then
      redis.call('INCRBY', a, ARGV[at + 3])
      redis.call('PEXPIRE', a, 180000)
    else
      redis.call('HINCRBY', a, 'reserved', ARGV[at + 3])
      redis.call('ZADD', b, lease, id .. ':' .. ARGV[at + 3])
      redis.call('PEXPIREAT', a, ARGV[at + 4])
      redis.call('PEXPIREAT', b, ARGV[at + 4])
    end
  end
end
answer[1] = tostring(refused)
return answer
`);

/*
 * A lease that has ended was given back already: then only what was used is added.
 * Again: nobody knows whether it was done before; only what can be told by its lease is done, the rest fades or comes from the ledger.
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
      redis.call('PEXPIREAT', a, ARGV[at + 4])
    end
  end
end
`);

const atLeastScript: RedisScript = redisScript(`
local known = tonumber(redis.call('HGET', KEYS[1], 'settled') or '0')
if known < tonumber(ARGV[1]) then redis.call('HSET', KEYS[1], 'settled', ARGV[1]) end
redis.call('PEXPIREAT', KEYS[1], ARGV[2])
`);

/** Kept a while longer than it counts, for calls that end late. */
const keepMs = 7_200_000;

/** So many calls may end while Redis is away. */
const mostUnsettled = 10_000;

const isWindow = ({ measure }: Demand): boolean => measure === 'requests' || measure === 'tokens';
const kindOf = (demand: Demand): string => (isWindow(demand) ? 'window' : demand.measure);

/** Money in micro-units with a fraction; all else is whole. */
const usedText = ({ measure }: Demand, used: number): string =>
  measure === 'spend' && used > 0 && !Number.isInteger(used) ? used.toFixed(9) : String(Math.max(0, Math.round(used)));

function keysOf(demand: Demand, at: number): string[] {
  const key = `pailou:${demand.key}`;
  if (!isWindow(demand)) return [key, `${key}:leases`];
  const minute = Math.floor(at / minuteMs);
  return [`${key}:${minute}`, `${key}:${minute - 1}`];
}

/** Rejects with RedisUnavailable where Redis does not answer in time. */
export function createRedisStore(redis: Redis, failed: (error: unknown) => void): QuotaStore {
  const expiryOf = ({ until }: Demand, at: number): string => String((until === 0 ? at : until) + keepMs);

  /** What could not be settled, for when Redis is back; the oldest are forgotten, and left to the end of their leases. */
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
          // It is sent with its first use then.
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
        expiryOf(demand, Math.max(at, leaseUntil)),
      ]);
      const share = 1 - (at % minuteMs) / minuteMs;
      const nothing = demands.map(() => 0);
      const asked = redis.run(takeScript, keys, [String(at), id, String(leaseUntil), String(share), ...values], (late) => {
        // Nobody waits for it any more: what it took is given back.
        if ((late as string[])[0] === '0') settle(place, nothing);
      });
      const answer = (await asked.catch((error: unknown) => {
        // It may have been done before the line broke.
        keep(place, nothing);
        throw error;
      })) as string[];
      const [refused = '0', ...numbers] = answer;
      const counters = demands.map((demand, index) => {
        const [first = 0, second = 0] = numbers.slice(2 * index, 2 * index + 2).map(Number);
        const { limit, amount } = demand;
        if (isWindow(demand)) return { used: windowSum(first, second, at), waitMs: windowWait(first, second, limit, amount, at) };
        return { used: first, settled: second, waitMs: first + amount > limit ? heldWait(demand, at) : 0 };
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
      await redis.run(atLeastScript, [`pailou:${key}`], [String(amount), String(until + keepMs)]);
    },
  };
}

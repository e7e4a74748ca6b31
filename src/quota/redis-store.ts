/** Counters in Redis, shared by all nodes. One script takes room in all of a call's counters at once, so that no race overruns a limit. */
import { type Redis, type RedisScript, redisScript } from '../storage/redis.ts';
import type { Demand } from './demands.ts';
import { type Actual, heldWait, minuteMs, type Place, type QuotaStore, type Verdict, windowSum, windowWait } from './store.ts';

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
      redis.call('HINCRBY', a, 'reserved', '-' .. string.match(member, ':(%d+)$'))
    end
    local held = redis.call('HMGET', a, 'settled', 'reserved')
    used = tonumber(held[1] or '0') + tonumber(held[2] or '0')
    answer[#answer + 1] = string.format('%.0f', used)
    answer[#answer + 1] = '0'
  end
  if refused == 0 and used + amount > limit then refused = i end
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

/* A lease that has ended was given back already: then only what was used is added. */
const settleScript: RedisScript = redisScript(`
local id = ARGV[1]
for i = 1, #KEYS / 2 do
  local a, b, at = KEYS[2 * i - 1], KEYS[2 * i], 1 + (i - 1) * 4
  local kind, amount, used = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  if kind == 'window' then
    local change = tonumber(used) - tonumber(amount)
    if change ~= 0 and redis.call('EXISTS', a) == 1 then redis.call('INCRBY', a, string.format('%.0f', change)) end
  else
    if redis.call('ZREM', b, id .. ':' .. amount) == 1 then redis.call('HINCRBY', a, 'reserved', '-' .. amount) end
    if kind == 'spend' and used ~= '0' then
      redis.call('HINCRBY', a, 'settled', used)
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

const isWindow = ({ measure }: Demand): boolean => measure === 'requests' || measure === 'tokens';
const kindOf = (demand: Demand): string => (isWindow(demand) ? 'window' : demand.measure);

function keysOf(demand: Demand, at: number): string[] {
  const key = `pailou:${demand.key}`;
  if (!isWindow(demand)) return [key, `${key}:leases`];
  const minute = Math.floor(at / minuteMs);
  return [`${key}:${minute}`, `${key}:${minute - 1}`];
}

/** Rejects with RedisAway where Redis does not answer in time. */
export function createRedisStore(redis: Redis, failed: (error: unknown) => void): QuotaStore {
  const expiryOf = ({ until }: Demand, at: number): string => String((until === 0 ? at : until) + keepMs);

  const settle = ({ id, demands, at }: Place, actual: Actual): void => {
    const keys = demands.flatMap((demand) => keysOf(demand, at));
    const values = demands.flatMap((demand, index) => [
      kindOf(demand),
      String(demand.amount),
      String(Math.max(0, Math.round(actual[index] ?? 0))),
      expiryOf(demand, at),
    ]);
    redis.run(settleScript, keys, [id, ...values]).catch(failed);
  };

  redis.onReady(() => {
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
      const answer = (await redis.run(takeScript, keys, [String(at), id, String(leaseUntil), String(share), ...values], (late) => {
        // Nobody waits for it any more: what it took is given back.
        if ((late as string[])[0] === '0') settle(place, nothing);
      })) as string[];
      const [refused = '0', ...numbers] = answer;
      const counters = demands.map((demand, index) => {
        const [first = 0, second = 0] = numbers.slice(2 * index, 2 * index + 2).map(Number);
        const { limit, amount } = demand;
        if (isWindow(demand)) return { used: windowSum(first, second, at), waitMs: windowWait(first, second, limit, amount, at) };
        return { used: first, waitMs: first + amount > limit ? heldWait(demand, at) : 0 };
      });
      return { refused: refused === '0' ? null : Number(refused) - 1, counters };
    },
    settle,
    async atLeast(key, amount, until) {
      await redis.run(atLeastScript, [`pailou:${key}`], [String(amount), String(until + keepMs)]);
    },
  };
}

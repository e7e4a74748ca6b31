/** One suite for every store of counters, on memory and on Redis. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Demand, Measure } from '../../src/quota/limit-requests.ts';
import { createMemoryStore } from '../../src/quota/memory-store.ts';
import { createRedisStore } from '../../src/quota/redis-store.ts';
import type { Place, QuotaStore, Verdict } from '../../src/quota/counter-store.ts';
import { connectRedis, type Redis } from '../../src/storage/redis.ts';
import type { LimitRule } from '../../src/types/limits.ts';
import { limitSpec } from '../../src/types/limit-spec.ts';
import { startBreakableProxy } from '../storage/breakable-proxy.ts';
import { memoryLogger } from '../storage/databases.ts';
import { eventually } from '../whole/gateway.ts';

const redisUrl = process.env['PAILOU_TEST_REDIS_URL'];

const rule: LimitRule = {
  id: 'rule',
  tenant: 'default',
  name: 'rule',
  spec: limitSpec.parse({ subject_type: 'tenant', requests_per_minute: 1 }),
  timeZone: 'UTC',
};
/** The start of a past minute, so that tests control their position in it; Redis keeps its keys until the real end of a period. */
const minute = Math.floor(Date.now() / 60_000) * 60_000;
const until = minute + 86_400_000;

const demand = (key: string, measure: Measure, limit: number, amount: number): Demand => ({
  rule,
  measure,
  key,
  limit,
  amount,
  until: measure === 'spend' ? until : 0,
});
const place = (at: number, ...demands: Demand[]): Place => ({ id: randomUUID(), demands, at });

const stores: { name: string; missing: boolean; create: () => QuotaStore }[] = [];
let redis: Redis;
stores.push({ name: 'memory', missing: false, create: createMemoryStore });
stores.push({
  name: 'Redis',
  missing: redisUrl === undefined,
  create: () =>
    createRedisStore(redis, (error) => {
      throw error;
    }),
});

beforeAll(async () => {
  if (redisUrl === undefined) return;
  redis = await connectRedis({ url: redisUrl, logger: memoryLogger(), patienceMs: 5_000 });
  await eventually(
    async () => redis.ready,
    (ready) => ready,
  );
});
afterAll(async () => redis?.[Symbol.asyncDispose]());

for (const { name, missing, create } of stores) {
  describe.skipIf(missing)(`counters in ${name}`, () => {
    const key = (): string => `{test}:${randomUUID()}`;
    /** Settling is not awaited; the next reserve is ordered after it. */
    const take = async (store: QuotaStore, taken: Place, lease = taken.at + 600_000): Promise<Verdict> => store.take(taken, lease);

    it('admit as many requests in a minute as the limit allows, and expire them over the next minute', async () => {
      const [store, own] = [create(), key()];
      const ask = (at: number) => take(store, place(at, demand(own, 'requests', 3, 1)));
      for (let call = 0; call < 3; call++) expect((await ask(minute + 1_000)).refused).toBeNull();
      const refused = await ask(minute + 30_000);
      expect(refused.refused).toBe(0);
      expect(refused.counters[0]?.used).toBe(3);
      const wait = refused.counters[0]?.waitMs ?? 0;
      expect((await ask(minute + 30_000 + wait - 100)).refused, 'not before the time that was told').toBe(0);
      expect((await ask(minute + 30_000 + wait)).refused, 'but then').toBeNull();
    });

    it('count the tokens that were used, not those that were reserved', async () => {
      const [store, own] = [create(), key()];
      const first = place(minute, demand(own, 'tokens', 100, 80));
      expect((await take(store, first)).refused).toBeNull();
      expect((await take(store, place(minute, demand(own, 'tokens', 100, 30)))).refused).toBe(0);
      store.settle(first, [20]);
      const next = await take(store, place(minute, demand(own, 'tokens', 100, 80)));
      expect(next).toMatchObject({ refused: null, counters: [{ used: 20 }] });
      expect((await take(store, place(minute, demand(own, 'tokens', 100, 101)))).counters[0]?.waitMs).toBe(Infinity);
    });

    it('reserve one place for each active call and release it', async () => {
      const [store, own] = [create(), key()];
      const calls = [0, 1].map(() => place(minute, demand(own, 'concurrent', 2, 1)));
      for (const call of calls) expect((await take(store, call)).refused).toBeNull();
      expect((await take(store, place(minute, demand(own, 'concurrent', 2, 1)))).refused).toBe(0);
      store.settle(calls[0] as Place, [0]);
      expect((await take(store, place(minute, demand(own, 'concurrent', 2, 1)))).refused).toBeNull();
    });

    it('are refused locally when this node knows they are full, and reserve nothing', async () => {
      const [store, own] = [create(), key()];
      const [concurrent, requests] = [demand(own, 'concurrent', 1, 1), demand(`${own}:r`, 'requests', 1, 1)];
      expect(store.peek([concurrent, requests], minute).refused).toBeNull();
      const call = place(minute, concurrent);
      expect((await take(store, call)).refused, 'looking took nothing').toBeNull();
      expect(store.peek([requests, concurrent], minute)).toMatchObject({ refused: 1 });
      store.settle(call, [0]);
      expect(store.peek([concurrent], minute).refused).toBeNull();
      expect((await take(store, place(minute, requests))).refused).toBeNull();
      const wait = (await take(store, place(minute, requests))).counters[0]?.waitMs ?? 0;
      expect(store.peek([requests], minute + wait - 100)).toMatchObject({ refused: 0, counters: [{ waitMs: 100 }] });
      expect(store.peek([requests], minute + wait).refused).toBeNull();
    });

    it('reserve money, and record the actual cost: more, less or nothing', async () => {
      const [store, own] = [create(), key()];
      const spend = (amount: number) => place(minute, demand(own, 'spend', 1_000_000, amount));
      const [dear, cheap, failed] = [spend(400_000), spend(400_000), spend(200_000)];
      for (const each of [dear, cheap, failed]) expect((await take(store, each)).refused).toBeNull();
      const full = await take(store, spend(1));
      expect(full.refused).toBe(0);
      expect(full.counters[0]).toMatchObject({ used: 1_000_000, waitMs: until - minute });
      store.settle(dear, [450_000]);
      store.settle(cheap, [100_000]);
      store.settle(failed, [0]);
      expect(await take(store, spend(450_001))).toMatchObject({ refused: 0, counters: [{ used: 550_000 }] });
      expect((await take(store, spend(450_000))).refused).toBeNull();
    });

    it('reserve nothing when one of several limits has no room', async () => {
      const [store, one, two, three] = [create(), key(), key(), key()];
      const asked = () => place(minute, demand(one, 'requests', 10, 1), demand(two, 'spend', 10, 5), demand(three, 'concurrent', 1, 1));
      expect((await take(store, asked())).refused).toBeNull();
      expect((await take(store, asked())).refused).toBe(2);
      const seen = await take(store, place(minute, demand(one, 'requests', 10, 1), demand(two, 'spend', 10, 5)));
      expect(seen.counters.map(({ used }) => used)).toEqual([1, 5]);
    });

    it('release the whole reservation of a call without cost', async () => {
      const [store, money, places] = [create(), key(), key()];
      const call = () => place(minute, demand(money, 'spend', 100, 0), demand(places, 'concurrent', 1, 1));
      for (let round = 0; round < 3; round++) {
        const taken = call();
        expect((await take(store, taken, minute + 5_000)).refused).toBeNull();
        store.settle(taken, [0, 0]);
      }
    });

    it('prevent an overrun by concurrent calls', async () => {
      const [store, own] = [create(), key()];
      const calls = Array.from({ length: 200 }, () => place(minute, demand(own, 'spend', 1_000_000, 10_000)));
      const verdicts = await Promise.all(
        calls.map(async (call) => {
          const verdict = await take(store, call);
          if (verdict.refused === null) store.settle(call, [10_000]);
          return verdict;
        }),
      );
      expect(verdicts.filter(({ refused }) => refused === null)).toHaveLength(100);
    });

    it('read earlier spend from the ledger, and never count less than they know', async () => {
      const [store, own] = [create(), key()];
      await store.atLeast(own, 700, until);
      const call = place(minute, demand(own, 'spend', 1_000, 200));
      expect(await take(store, call)).toMatchObject({ refused: null, counters: [{ used: 700 }] });
      store.settle(call, [200]);
      await store.atLeast(own, 800, until);
      expect((await take(store, place(minute, demand(own, 'spend', 1_000, 101)))).refused).toBe(0);
    });
  });
}

describe.skipIf(redisUrl === undefined)('counters in Redis, several nodes', () => {
  /** The leases of a counter are over, by the clock of Redis. */
  const endLeases = async (key: string): Promise<void> => {
    const leases = `pailou:${key}:leases`;
    const members = await redis.ask((client) => client.zRange(leases, 0, -1));
    if (members.length > 0)
      await redis.ask((client) =>
        client.zAdd(
          leases,
          members.map((value) => ({ score: 1, value })),
        ),
      );
  };

  it('go by the clock of Redis: a node whose clock is wrong neither frees a lease nor loses its own', async () => {
    const day = 86_400_000;
    const store = stores[1]?.create() as QuotaStore;
    for (const [first, second] of [
      [0, day],
      [-day, 0],
    ] as const) {
      const own = `{test}:${randomUUID()}`;
      const call = (shift: number) => place(minute + shift, demand(own, 'concurrent', 1, 1));
      expect((await store.take(call(first), minute + first + 600_000)).refused).toBeNull();
      expect((await store.take(call(second), minute + second + 600_000)).refused, `${first} ${second}`).toBe(0);
      await endLeases(own);
      expect((await store.take(call(-day), minute - day + 600_000)).refused).toBeNull();
    }
  });

  it('continue after a node died during a call with a reservation of zero', async () => {
    const store = stores[1]?.create() as QuotaStore;
    const own = `{test}:${randomUUID()}`;
    const call = (at: number) => place(at, demand(`${own}:money`, 'spend', 100, 0), demand(own, 'concurrent', 1, 1));
    expect((await store.take(call(minute), minute + 600_000)).refused).toBeNull();
    expect((await store.take(call(minute + 4_000), minute + 600_000)).refused).toBe(1);
    for (const key of [own, `${own}:money`]) await endLeases(key);
    expect((await store.take(call(minute + 6_000), minute + 600_000)).refused).toBeNull();
  });

  it('release the reservations of a dead node when its lease ends', async () => {
    const store = stores[1]?.create() as QuotaStore;
    const own = `{test}:${randomUUID()}`;
    const dead = place(minute, demand(own, 'concurrent', 1, 1), demand(`${own}:money`, 'spend', 100, 60));
    expect((await store.take(dead, minute + 600_000)).refused).toBeNull();
    const next = (at: number) =>
      store.take(place(at, demand(own, 'concurrent', 1, 1), demand(`${own}:money`, 'spend', 100, 60)), at + 600_000);
    expect((await next(minute + 4_999)).refused).toBe(0);
    for (const key of [own, `${own}:money`]) await endLeases(key);
    expect((await next(minute + 5_000)).refused).toBeNull();
    // It was slow, not dead: its spend counts, and its reservation is not released twice.
    store.settle(dead, [0, 30]);
    expect(await next(minute + 5_001)).toMatchObject({ refused: 0, counters: [{ used: 1 }, { used: 90 }] });
  });
});

describe.skipIf(redisUrl === undefined)('counters in Redis during a connection loss', () => {
  it('release the reservations of calls that ended meanwhile, once', async () => {
    const address = new URL(redisUrl ?? '');
    await using proxy = await startBreakableProxy({ host: address.hostname, port: Number(address.port) });
    address.host = `127.0.0.1:${proxy.port}`;
    await using far = await connectRedis({ url: address.href, logger: memoryLogger(), patienceMs: 5_000 });
    const ready = () =>
      eventually(
        async () => far.ready,
        (is) => is,
      );
    await ready();
    const failures: unknown[] = [];
    const store = createRedisStore(far, (error) => failures.push(error));
    const near = stores[1]?.create() as QuotaStore;
    const own = `{test}:${randomUUID()}`;
    const demands = [demand(`${own}:money`, 'spend', 100, 60), demand(own, 'concurrent', 1, 1), demand(`${own}:tokens`, 'tokens', 100, 80)];
    const taken = place(minute, ...demands);
    expect((await store.take(taken, minute + 600_000)).refused).toBeNull();
    const heard = place(minute, demand(`${own}:heard`, 'spend', 100, 60));
    expect((await store.take(heard, minute + 600_000)).refused).toBeNull();
    await proxy.disconnect();
    await eventually(
      async () => far.ready,
      (is) => !is,
    );
    store.settle(taken, [25, 0, 10]);
    store.settle(heard, [25]);
    // This request arrived; only its response was lost.
    near.settle(heard, [25]);
    await eventually(
      async () => failures.length,
      (count) => count === 2,
    );
    expect((await near.take(place(minute, ...demands), minute + 600_000)).refused, 'still held').toBe(0);
    await proxy.restore();
    await ready();
    const probe = async () =>
      near.take(place(minute, demand(`${own}:money`, 'spend', 100, 100), demand(own, 'concurrent', 1, 1)), minute + 600_000);
    const verdict = await eventually(probe, ({ counters }) => counters[1]?.used === 0);
    expect(verdict.counters[0]).toMatchObject({ used: 25, settled: 25 });
    expect(await near.take(place(minute, demand(`${own}:heard`, 'spend', 100, 100)), minute)).toMatchObject({ counters: [{ used: 25 }] });
  });
});

describe('the memory of counters', () => {
  it('removes unused counters', () => {
    const store = createMemoryStore();
    for (let user = 0; user < 30_000; user++) store.take(place(minute + user * 100, demand(`user-${user}`, 'requests', 3, 1)));
    expect(store.size).toBeLessThan(15_000);
  });
});

/** One suite for every store of cached answers, on memory and on Redis. */
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMemoryAnswers } from '../../src/cache/memory-store.ts';
import { createRedisAnswers } from '../../src/cache/redis-store.ts';
import type { AnswerStore } from '../../src/cache/answer-store.ts';
import { connectRedis, type Redis } from '../../src/storage/redis.ts';
import { masterKey } from '../../src/storage/secret-box.ts';
import { type BreakableProxy, startBreakableProxy } from '../storage/breakable-proxy.ts';
import { memoryLogger } from '../storage/databases.ts';
import { type RedisDatabase, redisUrl, takeRedisDatabase } from '../storage/redis-database.ts';
import { eventually } from '../whole/gateway.ts';

const master = masterKey(randomBytes(32));
const logger = memoryLogger();
let database: RedisDatabase;
let redis: Redis;

const connect = async (url: string): Promise<Redis> => {
  const connected = await connectRedis({ url, logger, patienceMs: 10_000 });
  await eventually(
    async () => connected.ready,
    (ready) => ready,
  );
  return connected;
};

beforeAll(async () => {
  if (redisUrl === undefined) return;
  database = await takeRedisDatabase();
  redis = await connect(database.url);
});
afterAll(async () => {
  await redis?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
});

/** Writes are not awaited, so this retries. */
const found = (store: AnswerStore, key: string): Promise<string | null> =>
  eventually(
    async () => store.get(key),
    (text) => text !== null,
  );

for (const { name, missing, create } of [
  { name: 'memory', missing: false, create: () => createMemoryAnswers(1_000_000) },
  { name: 'Redis', missing: redisUrl === undefined, create: () => createRedisAnswers(redis, master) },
]) {
  describe.skipIf(missing)(`answers cached in ${name}`, () => {
    it('are found by their key, unchanged, and by no other key', async () => {
      const [store, key] = [create(), randomUUID()];
      expect(await store.get(key)).toBeNull();
      const text = JSON.stringify({ text: '牌楼 🏮 \u0000 "quoted"' });
      store.set(key, text, 60_000);
      expect(await found(store, key)).toBe(text);
      expect(await store.get(randomUUID())).toBeNull();
    });

    it('are replaced by a later one', async () => {
      const [store, key] = [create(), randomUUID()];
      store.set(key, 'first', 60_000);
      store.set(key, 'second', 60_000);
      await eventually(
        async () => store.get(key),
        (text) => text === 'second',
      );
    });

    it('expire', async () => {
      const [store, key] = [create(), randomUUID()];
      store.set(key, 'soon gone', 300);
      expect(await found(store, key)).toBe('soon gone');
      await sleep(350);
      expect(await store.get(key)).toBeNull();
    });
  });
}

describe('answers cached in memory', () => {
  it('stay within the memory limit: the least recently used goes first', () => {
    const store = createMemoryAnswers(10_000);
    for (const key of ['one', 'two', 'three']) store.set(key, 'x'.repeat(2_500), 60_000);
    expect(store.get('one')).not.toBeNull();
    store.set('four', 'x'.repeat(2_500), 60_000);
    expect(['one', 'two', 'three', 'four'].map((key) => store.get(key) !== null)).toEqual([true, false, true, true]);
  });

  it('are not stored when a single one exceeds the limit', () => {
    const store = createMemoryAnswers(1_000);
    store.set('one', 'x'.repeat(2_000), 60_000);
    expect(store.get('one')).toBeNull();
  });
});

describe.skipIf(redisUrl === undefined)('answers cached in Redis', () => {
  let proxy: BreakableProxy;
  let far: Redis;
  beforeAll(async () => {
    const through = new URL(database.url);
    proxy = await startBreakableProxy({ host: through.hostname, port: Number(through.port) });
    through.host = `127.0.0.1:${proxy.port}`;
    far = await connect(through.href);
  });
  afterAll(async () => {
    await far[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
  });
  const names = async (): Promise<Set<string>> => new Set(await database.client.keys('pailou:answer:*'));
  /** Stores `text` and returns its key in Redis. */
  const storedName = async (store: AnswerStore, key: string, text: string): Promise<string> => {
    const before = await names();
    store.set(key, text, 60_000);
    await found(store, key);
    return [...(await names())].find((name) => !before.has(name)) ?? '';
  };

  it('are sealed, under opaque keys, and expire in Redis itself', async () => {
    const key = randomUUID();
    const name = await storedName(createRedisAnswers(redis, master), key, 'what nobody may read');
    expect(name).not.toContain(key);
    const value = (await database.client.get(name)) ?? '';
    expect(value).toMatch(/^v1\./);
    for (const text of [value, Buffer.from(value.split('.').at(-1) ?? '', 'base64url').toString('latin1')])
      expect(text).not.toContain('nobody');
    expect(await database.client.pTTL(name)).toBeGreaterThan(50_000);
  });

  it('are valid only under their own key and with their own master key', async () => {
    const store = createRedisAnswers(redis, master);
    const [one, two] = [randomUUID(), randomUUID()];
    const [first, second] = [await storedName(store, one, 'one'), await storedName(store, two, 'two')];
    await database.client.copy(first, second, { REPLACE: true });
    expect(await store.get(two)).toBeNull();
    expect(await store.get(one)).toBe('one');
    await database.client.set(first, 'not sealed at all');
    expect(await store.get(one)).toBeNull();
    expect(await createRedisAnswers(redis, masterKey(randomBytes(32))).get(two)).toBeNull();
  });

  it('are misses after a timeout when Redis hangs, and then without asking it each time', async () => {
    let asked = 0;
    const counted: Redis = Object.create(far, {
      ask: { value: (...given: Parameters<Redis['ask']>) => (asked++, far.ask(...given)) },
    });
    const [store, key] = [createRedisAnswers(counted, master), randomUUID()];
    store.set(key, 'kept', 60_000);
    await found(store, key);
    proxy.stall();
    try {
      // Redis answers nothing until the end of this block.
      asked = 0;
      for (let call = 0; call < 50; call++) expect(await store.get(key)).toBeNull();
      // A machine that stands still for seconds may ask once more.
      expect(asked).toBeGreaterThan(0);
      expect(asked).toBeLessThan(10);
    } finally {
      await proxy.restore();
    }
    await eventually(
      async () => store.get(key),
      (text) => text === 'kept',
      15_000,
    );
  });

  it('are misses when Redis is unreachable, and writes fail silently', async () => {
    const [store, key] = [createRedisAnswers(far, master), randomUUID()];
    await proxy.disconnect();
    store.set(key, 'lost', 60_000);
    expect(await store.get(key)).toBeNull();
    await eventually(
      async () => far.ready,
      (ready) => !ready,
    );
    expect(await store.get(key)).toBeNull();
    await proxy.restore();
  });
});

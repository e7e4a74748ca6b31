/** An empty Redis database that no other test uses at the same time: test files run together, and some empty theirs. */
import { createClient } from '@redis/client';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

export const redisUrl = process.env['PAILOU_TEST_REDIS_URL'];

/** Redis has sixteen databases unless configured. The first has the locks of the others. */
const count = 16;
/** The lock of a test that was killed ends by itself. */
const lockSeconds = 900;
const retryMs = 200;
const most = (lockSeconds * 1_000) / retryMs;

export interface RedisDatabase extends AsyncDisposable {
  readonly url: string;
  /** A connection for the test itself. */
  readonly client: Awaited<ReturnType<typeof connect>>;
}

const connect = (url: string) => createClient({ url }).connect();

function addressOf(index: number): string {
  const address = new URL(redisUrl ?? 'redis://none');
  address.pathname = `/${index}`;
  return address.href;
}

export async function takeRedisDatabase(): Promise<RedisDatabase> {
  const owner = randomUUID();
  const locks = await connect(addressOf(0));
  for (let attempt = 0; attempt < most; attempt++) {
    const index = 1 + (attempt % (count - 1));
    const lock = `test-lock:${index}`;
    if ((await locks.set(lock, owner, { condition: 'NX', expiration: { type: 'EX', value: lockSeconds } })) === null) {
      if (index === count - 1) await sleep(retryMs);
      continue;
    }
    const url = addressOf(index);
    const client = await connect(url);
    await client.flushDb();
    return {
      url,
      client,
      async [Symbol.asyncDispose]() {
        await client.flushDb();
        client.destroy();
        if ((await locks.get(lock)) === owner) await locks.del(lock);
        locks.destroy();
      },
    };
  }
  locks.destroy();
  throw new Error('every database of the Redis for tests is in use by another test');
}

/** Two nodes on PostgreSQL and Redis behind a plain TCP balancer, replaced one after the other. */
import { expect, it } from 'vitest';
import { rollOver } from '../../chaos/rolling-upgrade.ts';
import { databaseKinds, postgresUrl } from '../storage/databases.ts';
import { redisUrl, takeRedisDatabase } from '../storage/redis-database.ts';

it.skipIf(postgresUrl === undefined || redisUrl === undefined)(
  'two nodes on PostgreSQL and Redis are replaced under 50 streams: all end whole, a limit holds over both, and all is booked once',
  async () => {
    await using owned = new AsyncDisposableStack();
    const database = await databaseKinds.find(({ name }) => name === 'PostgreSQL')?.createMigrated();
    if (database?.url == null) throw new Error('no PostgreSQL');
    owned.use(database);
    const redis = owned.use(await takeRedisDatabase());
    const { seen, streams, missing, allowed } = await rollOver(owned, { postgres: database.url, redis: redis.url, streams: 50 });
    expect(streams).toEqual({ whole: 50, explicit: 0, broken: 0, false: 0 });
    expect({ explicit: seen.explicit, broken: seen.broken, false: seen.false }).toEqual({ explicit: 0, broken: 0, false: 0 });
    expect(missing).toBe(0);
    expect(allowed).toBe(50);
  },
  300_000,
);

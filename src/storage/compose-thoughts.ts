/** Chooses the store of reasoning for all nodes: Redis, else the database where several processes serve, else none, because one process remembers its own. */
import type { SharedThoughts } from '../types/shared-thoughts.ts';
import type { Storage } from './compose-storage.ts';
import type { Redis } from './redis.ts';
import { createDatabaseThoughts, createRedisThoughts } from './shared-thoughts.ts';

export function composeThoughts(
  { database, master, boxFor }: Pick<Storage, 'database' | 'master' | 'boxFor'>,
  redis: Redis | null,
  owned: AsyncDisposableStack,
  hasWorkers = false,
): SharedThoughts | null {
  if (redis !== null) return createRedisThoughts(redis, master.current);
  if (database.kind !== 'postgres' && !hasWorkers) return null;
  return owned.use(createDatabaseThoughts(database, boxFor('shared reasoning')));
}

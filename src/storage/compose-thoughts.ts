/** Chooses the store of reasoning for all nodes: Redis, else PostgreSQL, else none, because one node remembers its own. */
import type { SharedThoughts } from '../types/shared-thoughts.ts';
import type { Storage } from './compose-storage.ts';
import type { Redis } from './redis.ts';
import { createDatabaseThoughts, createRedisThoughts } from './shared-thoughts.ts';

export function composeThoughts(
  { database, master, boxFor }: Pick<Storage, 'database' | 'master' | 'boxFor'>,
  redis: Redis | null,
  owned: AsyncDisposableStack,
): SharedThoughts | null {
  if (redis !== null) return createRedisThoughts(redis, master.current);
  if (database.kind !== 'postgres') return null;
  return owned.use(createDatabaseThoughts(database, boxFor('shared reasoning')));
}

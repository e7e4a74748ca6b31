/** Composes the response cache: in process memory, or in Redis for all nodes. */
import type { Redis } from '../storage/redis.ts';
import type { MasterKeys } from '../storage/secret-box.ts';
import { type AnswerCache, type AnswerCacheOptions, createAnswerCache } from './answer-cache.ts';
import { createMemoryAnswers } from './memory-store.ts';
import { createRedisAnswers } from './redis-store.ts';

export interface CacheParts extends Required<Pick<AnswerCacheOptions, 'onAsked'>> {
  readonly memoryMb: number;
  readonly redis: Redis | null;
  readonly master: MasterKeys;
}

export function composeCache({ memoryMb, redis, master, onAsked }: CacheParts): AnswerCache {
  const store = redis === null ? createMemoryAnswers(memoryMb * 1_048_576) : createRedisAnswers(redis, master.current);
  return createAnswerCache({ store, onAsked });
}

/** Cached answers in Redis for all nodes. Texts are sealed and bound to their key; keys are HMACs. */
import { createHmac } from 'node:crypto';
import type { Redis } from '../storage/redis.ts';
import { createSecretBox, derivedKey, type MasterKey } from '../storage/secret-box.ts';
import type { AnswerStore } from './answer-store.ts';
import { monotonicNow } from '../scheduling/monotonic-clock.ts';

/** Lookups are skipped for this long after a timeout, in milliseconds. */
const pauseMs = 1_000;

export function createRedisAnswers(redis: Redis, master: MasterKey): AnswerStore {
  const box = createSecretBox({ current: derivedKey(master, 'kept answers') });
  const names = derivedKey(master, 'names of kept answers');
  const nameOf = (key: string): string => `pailou:answer:${createHmac('sha256', names.key).update(key).digest('base64url')}`;
  let pausedUntil = 0;
  const failed = (): null => {
    pausedUntil = monotonicNow() + pauseMs;
    return null;
  };

  return {
    async get(key) {
      if (!redis.ready || monotonicNow() < pausedUntil) return null;
      const name = nameOf(key);
      const sealed = await redis.ask((client) => client.get(name), { isOptional: true }).catch(failed);
      if (sealed === null) return null;
      try {
        return box.open({ $sealed: sealed }, name);
      } catch {
        // Sealed with another master key, or not by Pailou.
        return null;
      }
    },
    set(key, text, ttlMs) {
      if (!redis.ready || monotonicNow() < pausedUntil) return;
      const name = nameOf(key);
      const { $sealed: sealed } = box.seal(text, name);
      redis.ask((client) => client.set(name, sealed, { expiration: { type: 'PX', value: ttlMs } })).catch(failed);
    },
  };
}

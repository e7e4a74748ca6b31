/** Stores of shared reasoning: Redis, or the table of chat states in PostgreSQL. Texts are sealed and bound to their key. */
import { createHash, createHmac } from 'node:crypto';
import { longestSharedThoughts, type SharedThoughts, thoughtsKeptMs } from '../types/shared-thoughts.ts';
import { inIdBatches } from './batched-ids.ts';
import type { Database } from './database.ts';
import type { Redis } from './redis.ts';
import { createSecretBox, derivedKey, type MasterKey, type SecretBox } from './secret-box.ts';

/** Timeout of a lookup in the database, in milliseconds. */
const patienceMs = 250;
/** Lookups are skipped for this long after a timeout or failure, in milliseconds. */
const pauseMs = 1_000;
/** The most texts that wait for the database. Further ones are dropped. */
const mostWaiting = 1_000;
/** Expired rows are deleted at most this often, in milliseconds. */
const cleanEveryMs = 60_000;

const none: ReadonlyMap<string, string> = new Map();

function opened(box: SecretBox, sealed: string, name: string): string | null {
  try {
    return box.open({ $sealed: sealed }, name);
  } catch {
    // Sealed with another master key, or not by Pailou.
    return null;
  }
}

export function createRedisThoughts(redis: Redis, master: MasterKey): SharedThoughts {
  const box = createSecretBox({ current: derivedKey(master, 'shared reasoning') });
  const names = derivedKey(master, 'names of shared reasoning');
  const nameOf = (key: string): string => `pailou:thoughts:${createHmac('sha256', names.key).update(key).digest('base64url')}`;
  let pausedUntil = 0;
  const isOff = (): boolean => !redis.ready || performance.now() < pausedUntil;
  const failed = (): null => {
    pausedUntil = performance.now() + pauseMs;
    return null;
  };
  return {
    async read(keys) {
      if (isOff()) return none;
      const sought = keys.map(nameOf);
      const found = await redis.ask((client) => client.mGet(sought), { isOptional: true }).catch(failed);
      const texts = new Map<string, string>();
      for (const [index, sealed] of (found ?? []).entries()) {
        const text = sealed === null ? null : opened(box, sealed, sought[index] ?? '');
        if (text !== null) texts.set(keys[index] ?? '', text);
      }
      return texts;
    },
    keep(key, text) {
      if (isOff() || text.length > longestSharedThoughts) return;
      const name = nameOf(key);
      const { $sealed: sealed } = box.seal(text, name);
      redis.ask((client) => client.set(name, sealed, { expiration: { type: 'PX', value: thoughtsKeptMs } })).catch(failed);
    },
  };
}

export function createDatabaseThoughts({ query }: Pick<Database, 'query'>, box: SecretBox): SharedThoughts & AsyncDisposable {
  const idOf = (key: string): string => createHash('sha256').update(`thoughts\n${key}`).digest('base64url');
  let waiting = new Map<string, string>();
  let writing: Promise<void> | null = null;
  let pausedUntil = 0;
  let cleanedAt = 0;

  const write = async (): Promise<void> => {
    while (waiting.size > 0) {
      const batch = waiting;
      waiting = new Map();
      const now = Date.now();
      if (now - cleanedAt > cleanEveryMs) {
        cleanedAt = now;
        await query.deleteFrom('llm_chat_state').where('expires_at', '<', now).execute();
      }
      const rows = [...batch].map(([id, text]) => ({ id, state: box.seal(text, id).$sealed, expires_at: now + thoughtsKeptMs }));
      await query
        .insertInto('llm_chat_state')
        .values(rows)
        .onConflict((conflict) => conflict.column('id').doNothing())
        .execute();
    }
  };
  const pause = (): void => {
    pausedUntil = performance.now() + pauseMs;
    waiting.clear();
  };
  const find = (ids: readonly string[]) =>
    inIdBatches(ids, (some) =>
      query.selectFrom('llm_chat_state').select(['id', 'state']).where('id', 'in', some).where('expires_at', '>', Date.now()).execute(),
    );

  return {
    async read(keys) {
      if (performance.now() < pausedUntil) return none;
      const byId = new Map(keys.map((key) => [idOf(key), key]));
      const late = Promise.withResolvers<null>();
      const timer = setTimeout(() => late.resolve(null), patienceMs);
      const rows = await Promise.race([find([...byId.keys()]), late.promise]).catch(() => null);
      clearTimeout(timer);
      if (rows === null) pausedUntil = performance.now() + pauseMs;
      const texts = new Map<string, string>();
      for (const { id, state } of rows ?? []) {
        const text = opened(box, state, id);
        if (text !== null) texts.set(byId.get(id) ?? '', text);
      }
      return texts;
    },
    keep(key, text) {
      if (performance.now() < pausedUntil || text.length > longestSharedThoughts || waiting.size >= mostWaiting) return;
      waiting.set(idOf(key), text);
      writing ??= write()
        .catch(pause)
        .finally(() => {
          writing = null;
        });
    },
    async [Symbol.asyncDispose]() {
      await writing;
    },
  };
}

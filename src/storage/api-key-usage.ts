/** The last use of each API key: collected in memory and written in batches. */
import type { Logger } from '../types/logger.ts';
import type { Database } from './database.ts';

export interface ApiKeyUsage extends AsyncDisposable {
  /** Never throws and never waits. */
  used(id: string, at: number): void;
  /** Epoch milliseconds by key id. Rejects with `storage_unavailable`. */
  last(ids: readonly string[]): Promise<ReadonlyMap<string, number>>;
}

const flushMs = 5_000;

export function createApiKeyUsage({ database, logger }: { readonly database: Database; readonly logger: Logger }): ApiKeyUsage {
  let uses = new Map<string, number>();
  let writing: Promise<void> = Promise.resolve();

  const write = async (rows: readonly (readonly [string, number])[]): Promise<void> => {
    for (const [id, at] of rows) {
      await database.query
        .insertInto('llm_key_use')
        .values({ id, used_at: at })
        .onConflict((conflict) => conflict.column('id').doUpdateSet({ used_at: at }).where('llm_key_use.used_at', '<', at))
        .execute();
    }
  };
  const flush = (): void => {
    if (uses.size === 0) return;
    const rows = [...uses];
    uses = new Map();
    writing = writing
      .then(() => write(rows))
      .catch((error: unknown) => {
        logger.debug({ err: error }, 'the last uses of keys could not be written; trying again');
        for (const [id, at] of rows) uses.set(id, Math.max(at, uses.get(id) ?? 0));
      });
  };
  const timer = setInterval(flush, flushMs);
  timer.unref();

  return {
    used(id, at) {
      uses.set(id, at);
    },
    async last(ids) {
      const found = new Map<string, number>();
      try {
        if (ids.length > 0)
          for (const row of await database.query.selectFrom('llm_key_use').selectAll().where('id', 'in', ids).execute())
            found.set(row.id, Number(row.used_at));
      } catch (thrown) {
        throw database.explain(thrown);
      }
      for (const id of ids) {
        const at = uses.get(id);
        if (at !== undefined) found.set(id, Math.max(at, found.get(id) ?? 0));
      }
      return found;
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      flush();
      await writing;
    },
  };
}

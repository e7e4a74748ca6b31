/** Work on the database whose failures are told in our words. */
import type { Database } from './database.ts';

/** Resolves with what `work` gives; rejects with `storage_unavailable` where the database fails. */
export async function withStorageErrors<T>(database: Pick<Database, 'explain'>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw database.explain(thrown);
  }
}

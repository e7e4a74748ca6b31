/** Runs database work and maps its failures to GatewayError. */
import type { Database } from './database.ts';

/** Resolves with the result of `work`. Rejects with `storage_unavailable` when the database fails. */
export async function withStorageErrors<T>(database: Pick<Database, 'explain'>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw database.explain(thrown);
  }
}

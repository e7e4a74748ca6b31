/** Migrates at start, also when the database is not available yet. */
import { GatewayError } from '../types/errors.ts';
import type { Logger } from '../types/logger.ts';
import type { Database } from './database.ts';
import { migrate } from './migrate.ts';

const pauseMs = 2_000;

/**
 * When the database is unavailable at start, the last valid configuration serves and migrations are retried until they succeed, one attempt
 * after the other.
 */
export async function migrateOrKeepTrying(database: Database, logger: Logger, homeIssuer: string | null): Promise<() => void> {
  const attempt = async (): Promise<void> => {
    const applied = await migrate(database, homeIssuer, undefined, logger);
    if (applied.length > 0) logger.info({ applied }, 'database migrated');
  };
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let reason = '';
  const again = (thrown: unknown): void => {
    if (stopped) return;
    const { message } = thrown as Error;
    if (message !== reason) logger.warn({ err: thrown }, 'the database is not migrated yet; trying again');
    reason = message;
    timer = setTimeout(() => void attempt().catch(again), pauseMs);
  };
  try {
    await attempt();
  } catch (thrown) {
    if (!(thrown instanceof GatewayError) || thrown.code !== 'storage_unavailable' || database.kind === 'sqlite') throw thrown;
    logger.warn({ err: thrown }, 'the database cannot be reached; serving the last good configuration if there is one, and trying again');
    reason = thrown.message;
    again(thrown);
  }
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

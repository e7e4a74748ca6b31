/** Work of a command on the configured database. */
import { readSettings, type Settings } from '../../config/settings.ts';
import type { Database } from '../../storage/database.ts';
import { openDatabase } from '../../storage/open-database.ts';
import { createLogger } from '../../telemetry/log.ts';
import type { Logger } from '../../types/logger.ts';

/** Opens the configured database and closes it afterwards. */
export async function withDatabase(work: (database: Database, settings: Settings, logger: Logger) => Promise<number>): Promise<number> {
  const settings = readSettings(process.env);
  const logger = createLogger(settings.logLevel);
  const database = await openDatabase({ url: settings.databaseUrl, dataDir: settings.dataDir, logger });
  try {
    return await work(database, settings, logger);
  } finally {
    await database.close();
  }
}

/** What a command of the command line is, and how it speaks. */
import { readSettings, type Settings } from '../../config/settings.ts';
import type { Database } from '../../storage/database.ts';
import { openDatabase } from '../../storage/open-database.ts';
import { createLogger } from '../../telemetry/log.ts';

export interface Command {
  /** One line for the help. */
  readonly summary: string;
  readonly usage: string;
  /** Resolves with the exit code: 0 done, 1 failed. Rejects with a UsageError for 2. */
  run(args: string[]): Promise<number>;
}

/** The command was used in a wrong way; the message says the right one. */
export class UsageError extends Error {}

/** What models and servers say must not speak to the terminal: control characters are shown as what they are. */
const shown = (text: string): string => text.replace(/[^\P{Cc}\t\n]/gu, (mark) => `\\x${mark.charCodeAt(0).toString(16).padStart(2, '0')}`);

export const print = (text: string): void => void process.stdout.write(`${shown(text)}\n`);
export const printError = (text: string): void => void process.stderr.write(`${shown(text)}\n`);

/** The database of the settings, closed afterwards. */
export async function withDatabase(work: (database: Database, settings: Settings) => Promise<number>): Promise<number> {
  const settings = readSettings(process.env);
  const logger = createLogger(settings.logLevel);
  const database = await openDatabase({ url: settings.databaseUrl, dataDir: settings.dataDir, logger });
  try {
    return await work(database, settings);
  } finally {
    await database.close();
  }
}

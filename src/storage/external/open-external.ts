/** Chooses the driver of an external database by the URL's scheme. */
import type { Logger } from '../../types/logger.ts';
import type { ExternalDatabase } from './external-database.ts';
import { mysqlProblem, openExternalMysql } from './mysql.ts';
import { openExternalPostgres } from './postgres.ts';

const schemeOf = (url: string): string => /^(postgres|postgresql|mysql):\/\/./.exec(url)?.[1] ?? '';

/** The fault of a URL as a sentence for the operator; null for none. */
export function externalUrlProblem(url: string): string | null {
  switch (schemeOf(url)) {
    case 'postgres':
    case 'postgresql':
      return null;
    case 'mysql':
      return mysqlProblem(url);
    default:
      return 'only PostgreSQL (postgres://…) and MySQL (mysql://…) can be asked; use an http look-up for other databases';
  }
}

/** Opens a URL that `externalUrlProblem` accepts. The driver is loaded and connected at the first query. */
export function openExternalDatabase(url: string, logger: Logger): ExternalDatabase {
  return schemeOf(url) === 'mysql' ? openExternalMysql(url) : openExternalPostgres(url, logger);
}

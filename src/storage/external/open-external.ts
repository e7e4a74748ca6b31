/** By the scheme of its address: which driver reads somebody else's database. */
import type { Logger } from '../../types/logger.ts';
import type { ExternalDatabase } from './external-database.ts';
import { mysqlProblem, openExternalMysql } from './mysql.ts';
import { openExternalPostgres } from './postgres.ts';

const schemeOf = (url: string): string => /^(postgres|postgresql|mysql):\/\/./.exec(url)?.[1] ?? '';

/** Why no such database can be asked, in words for who configured it; null if it can. */
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

/** `url` as `externalUrlProblem` lets it pass. No driver is loaded and no connection made before the first question. */
export function openExternalDatabase(url: string, logger: Logger): ExternalDatabase {
  return schemeOf(url) === 'mysql' ? openExternalMysql(url) : openExternalPostgres(url, logger);
}

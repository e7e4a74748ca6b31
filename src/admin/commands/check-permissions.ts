/** pailou permissions check */
import { parseArgs } from 'node:util';
import { checkPermissions, findLayout, mostRows, type PermissionCheck } from '../../auth/permission-check.ts';
import { permissionLayouts, permissionSql } from '../../auth/permission-sql.ts';
import { externalUrlProblem, openExternalDatabase } from '../../storage/external/open-external.ts';
import type { Logger } from '../../types/logger.ts';
import { print, printError, UsageError, printJson } from './command.ts';

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

function show(check: PermissionCheck, sql: string | null): void {
  print(`Layout ${check.layout}: ${check.table}.`);
  for (const [role, codes] of Object.entries(check.roles)) print(`  role ${role} holds ${codes.join(', ')}`);
  if (check.findings.length === 0) return print('The nine codes, their names and the roles are as they must be.');
  for (const { sentence } of check.findings) print(`- ${sentence}`);
  if (sql !== null) print(`\nRun this in that database; it adds only what is missing:\n\n${sql.trimEnd()}`);
  return undefined;
}

/** Exit code 0: all is there; 1: something differs, or the database cannot be read. */
export async function runPermissionCheck(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      database: { type: 'string' },
      layout: { type: 'string' },
      roles: { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
    },
  });
  const { database: url } = values;
  if (url === undefined) throw new UsageError('Usage: pailou permissions check --database mysql://user:password@host:3306/database');
  const problem = externalUrlProblem(url);
  if (problem !== null) throw new UsageError(`--database: ${problem}`);
  if (values.layout !== undefined && !Object.hasOwn(permissionLayouts, values.layout))
    throw new UsageError(`--layout must be one of ${Object.keys(permissionLayouts).join(', ')}.`);
  const database = openExternalDatabase(url, silent);
  try {
    // Fails with the driver's reason, not with "no layout".
    await database.rows('select 1', [], mostRows);
    const name = values.layout ?? (await findLayout(database));
    const layout = name === null ? undefined : permissionLayouts[name];
    if (name === null || layout === undefined) {
      printError(
        `No layout fits the tables of this database; Pailou knows ${Object.keys(permissionLayouts).join(', ')}. Is it the database of the OAuth2 service?`,
        { code: 'not_found' },
      );
      return 1;
    }
    const wanted = values.roles.split(',').filter((role) => role !== '');
    const check = await checkPermissions(database, name, layout, wanted);
    const dialect = url.startsWith('mysql') ? 'mysql' : 'postgres';
    const isMissing = check.lacking.length > 0 || check.findings.some(({ what }) => what === 'missing');
    const sql = isMissing ? permissionSql(layout, dialect, check.lacking) : null;
    if (values.json) printJson({ ok: check.findings.length === 0, ...check, sql });
    else show(check, sql);
    return check.findings.length === 0 ? 0 : 1;
  } catch (thrown) {
    printError(`The database cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`, {
      code: 'storage_unavailable',
    });
    return 1;
  } finally {
    await database.close();
  }
}

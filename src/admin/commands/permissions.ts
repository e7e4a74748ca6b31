/** pailou permissions sql, pailou permissions check */
import { parseArgs } from 'node:util';
import { permissionLayouts, permissionSql, readColumns, sqlDialects, sqlLanguages } from '../../auth/permission-sql.ts';
import { runPermissionCheck } from './check-permissions.ts';
import { type Command, print, UsageError, printJson } from './command.ts';

export const permissionsCommand: Command = {
  async run([verb, ...args]) {
    if (verb === 'check') return runPermissionCheck(args);
    if (verb !== 'sql') throw new UsageError('Usage: pailou permissions sql | check');
    const { values } = parseArgs({
      args,
      options: {
        layout: { type: 'string', default: 'sas' },
        dialect: { type: 'string', default: 'mysql' },
        table: { type: 'string' },
        columns: { type: 'string' },
        roles: { type: 'string', default: '' },
        json: { type: 'boolean', default: false },
        lang: { type: 'string', default: 'en' },
      },
    });
    const layout = Object.hasOwn(permissionLayouts, values.layout) ? permissionLayouts[values.layout] : undefined;
    if (layout === undefined) throw new UsageError(`--layout must be one of ${Object.keys(permissionLayouts).join(', ')}.`);
    const dialect = sqlDialects.find((each) => each === values.dialect);
    if (dialect === undefined) throw new UsageError(`--dialect must be one of ${sqlDialects.join(', ')}.`);
    const language = sqlLanguages.find((each) => each === values.lang);
    if (language === undefined) throw new UsageError(`--lang must be one of ${sqlLanguages.join(', ')}.`);
    const columns = values.columns === undefined ? layout.columns : readColumns(values.columns);
    const code = Object.entries(columns).find(([, value]) => value === '{code}')?.[0] ?? layout.code;
    const roleNames = values.roles.split(',').filter((role) => role !== '');
    const sql = permissionSql({ ...layout, table: values.table ?? layout.table, columns, code }, dialect, roleNames, language).trimEnd();
    if (values.json) printJson({ sql });
    else print(sql);
    return 0;
  },
};

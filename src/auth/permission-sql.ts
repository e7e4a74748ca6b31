/** The nine permissions as SQL for the company's own OAuth2 service. Printed, never run: that database is not ours. */
import { permissionCodes } from '../types/access.ts';
import { GatewayError } from '../types/errors.ts';

export const sqlDialects = ['mysql', 'postgres', 'oracle'] as const;
export type SqlDialect = (typeof sqlDialects)[number];

/** A table and what each of its columns gets: a number, or a text in which `{id}`, `{code}` and `{name}` stand for those of the permission. */
export interface PermissionTable {
  readonly table: string;
  readonly columns: Readonly<Record<string, string>>;
  /** The column that tells permissions apart. */
  readonly code: string;
  readonly key: string;
  /** How a role is given a permission. */
  readonly links: {
    readonly table: string;
    readonly role: string;
    readonly permission: string;
    readonly roleTable: string;
    readonly roleKey: string;
    readonly roleCode: string;
  };
}

const links = {
  table: 'sys_role_permission',
  role: 'role_id',
  permission: 'permission_id',
  roleTable: 'sys_role',
  roleKey: 'id',
  roleCode: 'role_code',
};
const menuLinks = { ...links, table: 'sys_role_menu', permission: 'menu_id', roleKey: 'role_id' };

/** The usual layouts. Ids that the database makes itself are left out. */
export const permissionLayouts: Readonly<Record<string, PermissionTable>> = {
  // Spring Authorization Server with com.webapp.security: 3 is an API.
  sas: {
    table: 'sys_permission',
    columns: { permission_id: '{id}', perm_code: '{code}', perm_name: '{name}', perm_type: '3' },
    code: 'perm_code',
    key: 'permission_id',
    links: { ...links, roleKey: 'role_id' },
  },
  // The gateway's own kind of service: id, tenant and status beside.
  standard: {
    table: 'sys_permission',
    columns: { id: '{id}', perm_code: '{code}', perm_name: '{name}', perm_type: '3', status: '1' },
    code: 'perm_code',
    key: 'id',
    links,
  },
  // JeecgBoot: 2 is a button or a right.
  jeecg: {
    table: 'sys_permission',
    columns: { id: '{id}', name: '{name}', perms: '{code}', menu_type: '2', perms_type: '1', status: '1', del_flag: '0' },
    code: 'perms',
    key: 'id',
    links,
  },
  ruoyi: {
    table: 'sys_menu',
    columns: { menu_name: '{name}', parent_id: '0', order_num: '90', menu_type: 'F', visible: "'0'", status: "'0'", perms: '{code}' },
    code: 'perms',
    key: 'menu_id',
    links: { ...menuLinks, roleCode: 'role_key' },
  },
  pig: {
    table: 'sys_menu',
    columns: { name: '{name}', permission: '{code}', parent_id: '-1', sort_order: '90', menu_type: "'1'", del_flag: "'0'" },
    code: 'permission',
    key: 'menu_id',
    links: menuLinks,
  },
  yudao: {
    table: 'system_menu',
    columns: { name: '{name}', permission: '{code}', type: '3', sort: '90', parent_id: '0', status: '0' },
    code: 'permission',
    key: 'id',
    links: { ...menuLinks, table: 'system_role_menu', roleTable: 'system_role', roleKey: 'id', roleCode: 'code' },
  },
};

const identifier = /^[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)?$/;

function checked(name: string): string {
  if (identifier.test(name)) return name;
  throw new GatewayError('invalid_request', `"${name.slice(0, 60)}" is not a name of a table or column: letters, digits and _ only.`);
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** `llm:model:use` as people read it. */
function nameOf(code: string): string {
  const [, kind = '', act = ''] = code.split(':');
  const kinds: Readonly<Record<string, string>> = { model: 'models', skill: 'skills', mcp: 'MCP services' };
  return `AI gateway: ${act} ${kinds[kind] ?? kind}`;
}

function valueOf(template: string, code: string): string {
  if (/^-?\d+$/.test(template)) return template;
  const bare = /^'(.*)'$/.exec(template)?.[1] ?? template;
  return quoted(bare.replaceAll('{id}', code.replaceAll(':', '-')).replaceAll('{code}', code).replaceAll('{name}', nameOf(code)));
}

/** `id={id},perm_code={code},perm_type=3` as columns. Throws `invalid_request` for what is not such a list. */
export function readColumns(text: string): Readonly<Record<string, string>> {
  const columns = Object.fromEntries(
    text.split(',').map((part) => {
      const [name = '', ...value] = part.split('=');
      return [checked(name.trim()), value.join('=').trim()];
    }),
  );
  if (!Object.values(columns).includes('{code}'))
    throw new GatewayError('invalid_request', 'One column must get {code}, e.g. --columns "id={id},perm_code={code},perm_name={name}".');
  return columns;
}

/**
 * Statements that add what is missing and can be run again: nine permissions, and for each of `roles` the links to them.
 * A viewer is linked to what may be viewed, a user to that and what may be used, others to all nine.
 */
export function permissionSql(layout: PermissionTable, dialect: SqlDialect, roles: readonly string[] = []): string {
  const table = checked(layout.table);
  const names = Object.keys(layout.columns).map(checked);
  const from = dialect === 'postgres' ? '' : ' FROM dual';
  const statements = permissionCodes.map((code) => {
    const values = Object.values(layout.columns).map((template) => valueOf(template, code));
    return `INSERT INTO ${table} (${names.join(', ')})\nSELECT ${values.join(', ')}${from}\nWHERE NOT EXISTS (SELECT 1 FROM ${table} WHERE ${checked(layout.code)} = ${quoted(code)});`;
  });
  const { links: link } = layout;
  for (const role of roles) {
    const mine = permissionCodes.filter((code) =>
      role === 'viewer' ? code.endsWith(':view') : role !== 'user' || !code.endsWith(':manage'),
    );
    statements.push(
      `INSERT INTO ${checked(link.table)} (${checked(link.role)}, ${checked(link.permission)})\nSELECT r.${checked(link.roleKey)}, p.${checked(layout.key)} FROM ${checked(link.roleTable)} r, ${table} p\nWHERE r.${checked(link.roleCode)} = ${quoted(role)} AND p.${layout.code} IN (${mine.map(quoted).join(', ')})\nAND NOT EXISTS (SELECT 1 FROM ${link.table} l WHERE l.${link.role} = r.${link.roleKey} AND l.${link.permission} = p.${layout.key});`,
    );
  }
  return `-- The permissions of the AI gateway. Look through it before you run it; running it again adds nothing.\n${statements.join('\n')}\n`;
}

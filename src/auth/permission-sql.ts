/** The nine permissions as SQL for the company's own OAuth2 service. Printed only, because that database belongs to another system. */
import { type PermissionCode, permissionCodes, roles as roleNames } from '../types/access.ts';
import { GatewayError } from '../types/errors.ts';
import { codesOfRole } from './role-cap.ts';

export const sqlDialects = ['mysql', 'postgres', 'oracle'] as const;
export type SqlDialect = (typeof sqlDialects)[number];

/** Languages of the display names. */
export const sqlLanguages = ['en', 'zh'] as const;
export type SqlLanguage = (typeof sqlLanguages)[number];

/** A table and the value of each column: a number, or a text with the placeholders `{id}`, `{code}` and `{name}`. */
export interface PermissionTable {
  readonly table: string;
  readonly columns: Readonly<Record<string, string>>;
  /** The column that identifies a permission. */
  readonly code: string;
  readonly key: string;
  /** The table that links roles to permissions. */
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

/** Common layouts. Ids that the database generates are left out. */
export const permissionLayouts: Readonly<Record<string, PermissionTable>> = {
  // Spring Authorization Server with com.webapp.security: 3 is an API.
  sas: {
    table: 'sys_permission',
    columns: { permission_id: '{id}', perm_code: '{code}', perm_name: '{name}', perm_type: '3' },
    code: 'perm_code',
    key: 'permission_id',
    links: { ...links, roleKey: 'role_id' },
  },
  // A service with id, tenant and status columns.
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

const names: Readonly<
  Record<SqlLanguage, { readonly gateway: string; readonly words: Readonly<Record<string, string>>; readonly gap: string }>
> = {
  en: { gateway: 'AI gateway: ', words: { model: 'models', skill: 'skills', mcp: 'MCP services' }, gap: ' ' },
  zh: {
    gateway: 'AI 网关：',
    words: { view: '查看', use: '使用', manage: '管理', model: '模型', skill: '技能', mcp: ' MCP 服务' },
    gap: '',
  },
};

const headers: Readonly<Record<SqlLanguage, string>> = {
  en: 'The permissions of the AI gateway. Look through it before you run it; running it again adds nothing.',
  zh: 'AI 网关的权限。执行前请先检查；重复执行不会重复添加。',
};

/** The display name of a code such as `llm:model:use`. */
export function permissionName(code: string, language: SqlLanguage): string {
  const [, kind = '', act = ''] = code.split(':');
  const { gateway, words, gap } = names[language];
  return `${gateway}${words[act] ?? act}${gap}${words[kind] ?? kind}`;
}

function valueOf(template: string, code: string, language: SqlLanguage): string {
  if (/^-?\d+$/.test(template)) return template;
  const bare = /^'(.*)'$/.exec(template)?.[1] ?? template;
  return quoted(
    bare.replaceAll('{id}', code.replaceAll(':', '-')).replaceAll('{code}', code).replaceAll('{name}', permissionName(code, language)),
  );
}

/** Parses `id={id},perm_code={code},perm_type=3` to columns. Throws `invalid_request` for anything else. */
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

/** `ROLE_USER` -> `user`: Spring's services name roles so. */
const plainRole = (role: string): string => role.replace(/^ROLE_/i, '').toLowerCase();

/** True for the four roles of Pailou. */
export const isStandardRole = (role: string): boolean => (roleNames as readonly string[]).includes(plainRole(role));

/** The codes of a role: a viewer has the view codes, a user also the use codes, all others all nine. */
export function codesForRole(role: string): readonly PermissionCode[] {
  return isStandardRole(role) ? codesOfRole(plainRole(role)) : permissionCodes;
}

/** Idempotent statements that add what is missing: nine permissions, and their links to each of `roles`. A viewer gets the view permissions, a user also the use permissions, all others all nine. */
export function permissionSql(
  layout: PermissionTable,
  dialect: SqlDialect,
  roles: readonly string[] = [],
  language: SqlLanguage = 'en',
): string {
  const table = checked(layout.table);
  const columns = Object.keys(layout.columns).map(checked);
  const from = dialect === 'postgres' ? '' : ' FROM dual';
  const statements = permissionCodes.map((code) => {
    const values = Object.values(layout.columns).map((template) => valueOf(template, code, language));
    return `INSERT INTO ${table} (${columns.join(', ')})\nSELECT ${values.join(', ')}${from}\nWHERE NOT EXISTS (SELECT 1 FROM ${table} WHERE ${checked(layout.code)} = ${quoted(code)});`;
  });
  const { links: link } = layout;
  for (const role of roles) {
    const linked = codesForRole(role);
    statements.push(
      `INSERT INTO ${checked(link.table)} (${checked(link.role)}, ${checked(link.permission)})\nSELECT r.${checked(link.roleKey)}, p.${checked(layout.key)} FROM ${checked(link.roleTable)} r, ${table} p\nWHERE r.${checked(link.roleCode)} = ${quoted(role)} AND p.${layout.code} IN (${linked.map(quoted).join(', ')})\nAND NOT EXISTS (SELECT 1 FROM ${link.table} l WHERE l.${link.role} = r.${link.roleKey} AND l.${link.permission} = p.${layout.key});`,
    );
  }
  return `-- ${headers[language]}\n${statements.join('\n')}\n`;
}

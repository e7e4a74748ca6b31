/** pailou permissions check: the nine codes in the six common layouts, with the column types of the services' own schemas, on real databases. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runPermissionCheck } from '../../src/admin/commands/check-permissions.ts';
import { permissionLayouts, permissionSql } from '../../src/auth/permission-sql.ts';
import { type CompanyDatabase, companyDatabases } from './external-databases.ts';

/** The tables as the services create them, shortened to what a permission needs; `serial`: the key is generated. */
const schemas: Readonly<
  Record<string, { readonly permission: string; readonly role: string; readonly link: string; readonly serial?: string }>
> = {
  sas: {
    permission: 'permission_id varchar(64) primary key, perm_code varchar(100), perm_name varchar(100), perm_type smallint',
    role: 'role_id varchar(64), role_code varchar(64)',
    link: 'role_id varchar(64), permission_id varchar(64)',
  },
  standard: {
    permission: 'id varchar(64) primary key, perm_code varchar(100), perm_name varchar(100), perm_type int, status int',
    role: 'id varchar(64), role_code varchar(64)',
    link: 'role_id varchar(64), permission_id varchar(64)',
  },
  jeecg: {
    permission:
      'id varchar(32) primary key, name varchar(100), perms varchar(255), menu_type int, perms_type varchar(10), status varchar(2), del_flag int',
    role: 'id varchar(32), role_code varchar(100)',
    link: 'role_id varchar(32), permission_id varchar(32)',
  },
  ruoyi: {
    permission:
      'menu_name varchar(50), parent_id bigint, order_num int, menu_type char(1), visible char(1), status char(1), perms varchar(100)',
    role: 'role_id bigint, role_key varchar(100)',
    link: 'role_id bigint, menu_id bigint',
    serial: 'menu_id',
  },
  pig: {
    permission: 'name varchar(32), permission varchar(255), parent_id bigint, sort_order int, menu_type char(1), del_flag char(1)',
    role: 'role_id bigint, role_code varchar(64)',
    link: 'role_id bigint, menu_id bigint',
    serial: 'menu_id',
  },
  yudao: {
    permission: 'name varchar(50), permission varchar(100), type smallint, sort int, parent_id bigint, status smallint',
    role: 'id bigint, code varchar(100)',
    link: 'role_id bigint, menu_id bigint',
    serial: 'id',
  },
};

async function run(...args: string[]): Promise<{ readonly code: number; readonly text: string }> {
  let text = '';
  const keep = (part: unknown): boolean => {
    text += String(part);
    return true;
  };
  const spies = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, 'write').mockImplementation(keep));
  try {
    return { code: await runPermissionCheck(args), text };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

describe.each(companyDatabases)('on $name', ({ name: server, missing, open }) => {
  let company: CompanyDatabase;
  beforeAll(async () => {
    if (!missing) company = await open();
  });
  afterAll(async () => {
    if (!missing) await company[Symbol.asyncDispose]();
  });
  const dialect = server === 'MySQL' ? 'mysql' : 'postgres';
  const generated = (column: string): string =>
    server === 'MySQL' ? `${column} bigint auto_increment primary key` : `${column} bigint generated always as identity primary key`;

  it.skipIf(missing).each(Object.entries(permissionLayouts))(
    'finds the layout %s, and says what is missing, wrong and to be run',
    async (name, layout) => {
      const { table, code, links } = layout;
      const { permission, role, link, serial } = schemas[name]!;
      for (const each of [
        'sys_permission',
        'sys_menu',
        'system_menu',
        'sys_role',
        'system_role',
        'sys_role_permission',
        'sys_role_menu',
        'system_role_menu',
      ])
        await company.run(`drop table if exists ${each}`);
      await company.run(
        `create table ${table} (${serial === undefined ? '' : `${generated(serial)}, `}${permission})`,
        `create table ${links.roleTable} (${role})`,
        `create table ${links.table} (${link})`,
        `insert into ${links.roleTable} values ('1', 'admin'), ('2', 'ROLE_USER'), ('3', 'guest')`,
      );
      const empty = await run('--database', company.url);
      expect(empty.code).toBe(1);
      expect(empty.text).toContain(`Layout ${name}: ${table}.`);
      expect(empty.text).toContain(`- llm:model:use: is not in ${table}.`);
      expect(empty.text).toContain('- role ROLE_USER: lacks llm:model:view, llm:model:use');
      const sql = empty.text.slice(empty.text.indexOf('-- '));
      expect(sql).toBe(`${permissionSql(layout, dialect, ['admin', 'ROLE_USER']).trimEnd()}\n`);
      await company.run(sql);
      const whole = await run('--database', company.url, '--json');
      expect([whole.code, JSON.parse(whole.text)]).toEqual([
        0,
        expect.objectContaining({
          ok: true,
          layout: name,
          findings: [],
          lacking: [],
          sql: null,
          roles: { admin: expect.any(Array), ROLE_USER: expect.any(Array) },
        }),
      ]);
      expect(JSON.parse(whole.text).roles.ROLE_USER).toHaveLength(6);

      const nameColumn = Object.entries(layout.columns).find(([, template]) => template === '{name}')![0];
      await company.run(
        `update ${table} set ${nameColumn} = 'Old name' where ${code} = 'llm:skill:use'`,
        `update ${table} set ${code} = 'llm:mcp:uses' where ${code} = 'llm:mcp:use'`,
      );
      const wrong = await run('--database', company.url, '--layout', name, '--roles', 'admin,developr');
      expect(wrong.code).toBe(1);
      for (const sentence of [
        '- llm:skill:use: its name is "Old name", not "AI gateway: use skills" or "AI 网关：使用技能".',
        `- llm:mcp:use: is not in ${table}.`,
        '- llm:mcp:uses: is no code of Pailou; llm:mcp:use is.',
        '- role admin: lacks llm:mcp:use.',
        `- role developr: is not in ${links.roleTable}.`,
      ])
        expect(wrong.text).toContain(sentence);
    },
  );

  it.skipIf(missing)('says so when the tables are those of no known service, or there is no such database', async () => {
    for (const each of ['sys_permission', 'sys_menu', 'system_menu']) await company.run(`drop table if exists ${each}`);
    const none = await run('--database', company.url);
    expect([none.code, none.text]).toEqual([1, expect.stringContaining('No layout fits')]);
    const elsewhere = await run('--database', company.url.replace(/\/[^/]*$/, '/no_such_database'));
    expect([elsewhere.code, elsewhere.text]).toEqual([1, expect.stringContaining('The database cannot be read:')]);
  });
});

it('names the option that is missing or wrong', async () => {
  await expect(runPermissionCheck([])).rejects.toThrow('--database');
  await expect(runPermissionCheck(['--database', 'oracle://x'])).rejects.toThrow('--database: only PostgreSQL');
  await expect(runPermissionCheck(['--database', 'mysql://u@h/d', '--layout', 'x'])).rejects.toThrow('--layout');
});

/** The SQL for the company's own tables, executed on each database that is available here. */
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { permissionLayouts, permissionSql, readColumns } from '../../src/auth/permission-sql.ts';
import { permissionCodes } from '../../src/types/access.ts';
import { companyDatabases } from './external-databases.ts';

const roleTable = ({
  links,
}: {
  links: { roleTable: string; roleKey: string; roleCode: string; table: string; role: string; permission: string };
}): string =>
  `create table ${links.roleTable} (${links.roleKey} varchar(64), ${links.roleCode} varchar(64)); create table ${links.table} (${links.role} varchar(64), ${links.permission} varchar(64));
   insert into ${links.roleTable} values ('1', 'admin'), ('2', 'user'), ('3', 'viewer');`;

describe.each(Object.entries(permissionLayouts))('the layout %s', (_name, layout) => {
  const made = Object.keys(layout.columns);
  const own = made.includes(layout.key) ? '' : `${layout.key} integer primary key, `;
  const tables = `create table ${layout.table} (${own}${made.map((column) => `${column} varchar(200)`).join(', ')}); ${roleTable(layout)}`;

  it('adds nine permissions and the links of roles, once', () => {
    const database = new DatabaseSync(':memory:');
    database.exec(tables);
    const sql = permissionSql(layout, 'postgres', ['admin', 'user', 'viewer']);
    database.exec(sql);
    database.exec(sql);
    const codes = database.prepare(`select ${layout.code} as code from ${layout.table}`).all();
    expect(new Set(codes.map(({ code }) => code))).toEqual(new Set(permissionCodes));
    expect(codes).toHaveLength(9);
    const links = database
      .prepare(`select ${layout.links.role} as role, count(*) as count from ${layout.links.table} group by 1 order by 1`)
      .all();
    expect(links.map(({ role, count }) => [role, count])).toEqual([
      ['1', 9],
      ['2', 6],
      ['3', 3],
    ]);
    database.close();
  });

  it('speaks each dialect', () => {
    expect(permissionSql(layout, 'mysql')).toContain(' FROM dual\nWHERE NOT EXISTS');
    expect(permissionSql(layout, 'oracle').match(/INSERT INTO/g)).toHaveLength(9);
    expect(permissionSql(layout, 'postgres')).not.toContain('dual');
  });
});

describe.each(companyDatabases)('on $name', ({ name, missing, open }) => {
  it.skipIf(missing)('runs twice and adds once', async () => {
    await using company = await open();
    await company.run('drop table sys_permission', 'drop table sys_role');
    const layout = {
      ...permissionLayouts['standard']!,
      columns: readColumns('id={id},perm_code={code},perm_name={name},perm_type=3,note=it is {code}'),
    };
    await company.run(
      'create table sys_permission (id varchar(64) primary key, perm_code varchar(64), perm_name varchar(64), perm_type int, note text)',
      ...roleTable({ links: { ...layout.links, table: 'links' } })
        .split(';')
        .filter((statement) => statement.trim() !== ''),
    );
    const sql = permissionSql({ ...layout, links: { ...layout.links, table: 'links' } }, name === 'MySQL' ? 'mysql' : 'postgres', [
      'admin',
    ]);
    await company.run(sql, sql);
    const rows = await company.run('select * from sys_permission order by perm_code');
    expect(rows).toHaveLength(9);
    expect(rows[0]).toEqual({
      id: 'llm-mcp-manage',
      perm_code: 'llm:mcp:manage',
      perm_name: 'AI gateway: manage MCP services',
      perm_type: 3,
      note: 'it is llm:mcp:manage',
    });
    expect(await company.run('select * from links')).toHaveLength(9);
  });
});

it('refuses a name or value that would change the statement', () => {
  expect(() => readColumns('id={id}')).toThrow(/\{code\}/);
  expect(() => readColumns('a;drop table x={code}')).toThrow(/not a name/);
  expect(() => permissionSql({ ...permissionLayouts['sas']!, table: 'x; --' }, 'mysql')).toThrow(/not a name/);
  expect(permissionSql(permissionLayouts['sas']!, 'mysql', ["o'neil"])).toContain("'o''neil'");
});

it('writes the names in English or Chinese, and the same codes', () => {
  const layout = permissionLayouts['sas']!;
  const english = permissionSql(layout, 'mysql', ['admin']);
  const chinese = permissionSql(layout, 'mysql', ['admin'], 'zh');
  expect(english).toContain("'AI gateway: use models'");
  const named = [...chinese.matchAll(/'(AI [^']*)'/g)].map(([, name]) => name);
  expect(named).toEqual([
    'AI 网关：查看模型',
    'AI 网关：使用模型',
    'AI 网关：管理模型',
    'AI 网关：查看技能',
    'AI 网关：使用技能',
    'AI 网关：管理技能',
    'AI 网关：查看 MCP 服务',
    'AI 网关：使用 MCP 服务',
    'AI 网关：管理 MCP 服务',
  ]);
  const statements = (sql: string): string => sql.replace(/^--.*\n/, '').replaceAll(/'AI [^']*'/g, '');
  expect(statements(chinese)).toBe(statements(english));
});

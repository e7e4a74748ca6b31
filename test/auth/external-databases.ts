/** PostgreSQL and MySQL databases of a company's identity service, with the tables of Spring back ends. */
import mysql from 'mysql2/promise';
import pg from 'pg';
import { postgresUrl } from '../storage/databases.ts';

export const mysqlUrl = process.env['PAILOU_TEST_MYSQL_URL'];

const name = `pailou_company_${process.pid}`;

export interface CompanyDatabase extends AsyncDisposable {
  readonly url: string;
  /** The rows of the last statement. */
  run(...statements: readonly string[]): Promise<readonly Record<string, unknown>[]>;
}

export interface CompanyDatabaseKind {
  readonly name: 'PostgreSQL' | 'MySQL';
  readonly missing: boolean;
  readonly open: () => Promise<CompanyDatabase>;
}

const tables = (text: string): readonly string[] => [
  'create table sys_user (id bigint, username varchar(64))',
  `create table sys_role (id bigint, role_code ${text})`,
  'create table sys_user_role (user_id bigint, role_id bigint)',
  'create table sys_permission (id bigint, perm_code varchar(64))',
  'create table sys_role_permission (role_id bigint, permission_id bigint)',
  "insert into sys_user values (1, 'ulla'), (2, 'otto')",
  "insert into sys_role values (10, 'ROLE_DEVELOPER'), (11, 'ROLE_ADMIN')",
  'insert into sys_user_role values (1, 10), (2, 11)',
  "insert into sys_permission values (100, 'llm:model:use'), (101, 'llm:model:manage')",
  'insert into sys_role_permission values (10, 100), (11, 100), (11, 101)',
];

const at = (server: string): string => {
  const address = new URL(server);
  address.pathname = `/${name}`;
  return address.href;
};

async function askPostgres(url: string, statements: readonly string[]): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    let rows: Record<string, unknown>[] = [];
    for (const statement of statements) ({ rows } = await client.query<Record<string, unknown>>(statement));
    return rows;
  } finally {
    await client.end();
  }
}

async function askMysql(url: string, statements: readonly string[]): Promise<readonly Record<string, unknown>[]> {
  const client = await mysql.createConnection({ uri: url, multipleStatements: true });
  try {
    let rows: Record<string, unknown>[] = [];
    for (const statement of statements) rows = (await client.query(statement))[0] as Record<string, unknown>[];
    return rows;
  } finally {
    await client.end();
  }
}

export const companyDatabases: readonly CompanyDatabaseKind[] = [
  {
    name: 'PostgreSQL',
    missing: postgresUrl === undefined,
    async open() {
      const server = postgresUrl ?? '';
      await askPostgres(server, [`create database ${name}`]);
      const url = at(server);
      await askPostgres(url, tables('varchar(64)'));
      return {
        url,
        run: (...statements) => askPostgres(url, statements),
        [Symbol.asyncDispose]: async () => void (await askPostgres(server, [`drop database ${name} with (force)`])),
      };
    },
  },
  {
    name: 'MySQL',
    missing: mysqlUrl === undefined,
    async open() {
      const server = mysqlUrl ?? '';
      await askMysql(server, [`create database ${name}`]);
      const url = at(server);
      // Some old tables have such columns: the driver returns them as bytes.
      await askMysql(url, tables('varbinary(64)'));
      return {
        url,
        run: (...statements) => askMysql(url, statements),
        [Symbol.asyncDispose]: async () => void (await askMysql(server, [`drop database ${name}`])),
      };
    },
  },
];

/** Rights from the service's own tables: a real PostgreSQL with tables as Spring's back ends have them, which are only read. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import pg from 'pg';
import { type Authenticator, createAuthenticator } from '../../src/auth/authenticator.ts';
import { issuerSettings } from '../../src/auth/issuer-settings.ts';
import { issuerSpec } from '../../src/auth/issuer-spec.ts';
import { withParameters } from '../../src/auth/lookups/sql-lookup.ts';
import { postgresUrl } from '../storage/databases.ts';
import { audience, makeKey, type OauthService, type SigningKey, silentLogger, startOauthService } from './oauth-service.ts';

it('names become values, casts and other words stay', () => {
  const { text, values } = withParameters("select a::text from b where c = :username and d = :subject or e = :username and f = ':x'");
  expect(text).toBe("select a::text from b where c = $1 and d = $2 or e = $1 and f = ':x'");
  expect(values({ token: 't', subject: 's', username: 'u' })).toEqual(['u', 's']);
});

const tables = `
  create schema company;
  set search_path to company;
  create table sys_user (id bigint, username text);
  create table sys_role (id bigint, role_code text);
  create table sys_user_role (user_id bigint, role_id bigint);
  create table sys_permission (id bigint, perm_code text);
  create table sys_role_permission (role_id bigint, permission_id bigint);
  insert into sys_user values (1, 'ulla'), (2, 'otto');
  insert into sys_role values (10, 'ROLE_DEVELOPER'), (11, 'ROLE_ADMIN');
  insert into sys_user_role values (1, 10), (2, 11);
  insert into sys_permission values (100, 'llm:model:use'), (101, 'llm:model:manage');
  insert into sys_role_permission values (10, 100), (11, 100), (11, 101);`;
const roles = `select r.role_code from company.sys_role r join company.sys_user_role ur on ur.role_id = r.id
  join company.sys_user u on u.id = ur.user_id where u.username = :username`;
const permissions = `select p.perm_code from company.sys_permission p join company.sys_role_permission rp on rp.permission_id = p.id
  join company.sys_user_role ur on ur.role_id = rp.role_id join company.sys_user u on u.id = ur.user_id where u.username = :username`;

describe.skipIf(postgresUrl === undefined)('in PostgreSQL', () => {
  const name = `pailou_company_${process.pid}`;
  let url: string;
  let key: SigningKey;
  let service: OauthService;
  let authenticator: Authenticator | null = null;

  const run = async (connection: string | undefined, statement: string): Promise<pg.QueryResult> => {
    const client = new pg.Client({ connectionString: connection });
    await client.connect();
    try {
      return await client.query(statement);
    } finally {
      await client.end();
    }
  };

  beforeAll(async () => {
    await run(postgresUrl, `create database ${name}`);
    const address = new URL(postgresUrl as string);
    address.pathname = `/${name}`;
    url = address.href;
    await run(url, tables);
    key = await makeKey('k1');
    service = await startOauthService([key]);
  });
  afterEach(() => authenticator?.close());
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
    await run(postgresUrl, `drop database ${name} with (force)`);
  });

  async function admit(queries: Record<string, string>, claims: Record<string, unknown> = {}, database = url) {
    authenticator?.close();
    const spec = { issuer: service.issuer, audiences: [audience], lookups: [{ kind: 'sql', url: database, queries }] };
    authenticator = createAuthenticator({ issuers: [issuerSettings(issuerSpec.parse(spec))], logger: silentLogger });
    return authenticator.verify(await service.sign(key, { username: 'ulla', ...claims }));
  }

  it('roles and codes come from there alone, whatever the token says', async () => {
    const principal = await admit({ roles, permissions }, { roles: ['admin'], authorities: ['ROLE_ADMIN'], scope: 'llm:skill:manage' });
    expect(principal.roles).toEqual(['developer']);
    expect([...principal.permissions]).toEqual(['llm:model:use']);
  });

  it('a person whom the tables do not know has nothing', async () => {
    const principal = await admit({ roles, permissions }, { username: 'eve', roles: ['admin'], scope: 'llm:model:use' });
    expect(principal.roles).toEqual([]);
    expect(principal.permissions.size).toBe(0);
  });

  it('a name is a value, never a part of the statement', async () => {
    expect((await admit({ roles, permissions }, { username: "x' or '1'='1" })).roles).toEqual([]);
  });

  it('nothing is ever written', async () => {
    const statement = "insert into company.sys_user_role select 1, 11 where 'ulla' = :username returning role_id";
    await expect(admit({ roles: statement })).rejects.toMatchObject({ code: 'auth_unavailable' });
    const { rows } = await run(url, 'select count(*)::int as count from company.sys_user_role');
    expect(rows).toEqual([{ count: 2 }]);
  });

  it.each([
    ['a database that is away', { roles }, 'postgres://postgres@127.0.0.1:1/x'],
    ['a table that is not there', { roles: 'select 1 from nowhere where 1 = :username' }, undefined],
    ['a query that brings everybody’s', { roles: "select generate_series(1, 10000)::text where :username <> ''" }, undefined],
  ])('%s lets nobody in, whatever the token says', async (_name, queries, database) => {
    await expect(admit(queries, { roles: ['admin'] }, database ?? url)).rejects.toMatchObject({ code: 'auth_unavailable', status: 503 });
  });
});

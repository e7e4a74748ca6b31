/** Rights from the service's own tables, read only: real databases with the tables of Spring back ends. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Authenticator, createAuthenticator } from '../../src/auth/authenticator.ts';
import { issuerSettings } from '../../src/auth/issuer-settings.ts';
import { issuerSpec } from '../../src/auth/issuer-spec.ts';
import { withParameters } from '../../src/auth/lookups/sql-lookup.ts';
import { type CompanyDatabase, companyDatabases } from './external-databases.ts';
import { audience, makeKey, type OauthService, type SigningKey, silentLogger, startOauthService } from './oauth-service.ts';

const query = "select a::text from b where c = :username and d = :subject or e = :username and f = ':x'";

it.each([
  ['PostgreSQL', (place: number) => `$${place}`, "select a::text from b where c = $1 and d = $2 or e = $3 and f = ':x'"],
  ['MySQL', () => '?', "select a::text from b where c = ? and d = ? or e = ? and f = ':x'"],
])('placeholders become parameters in the form of %s, casts and other text stay', (_name, mark, expected) => {
  const { text, values } = withParameters(query, mark);
  expect(text).toBe(expected);
  expect(values({ token: 't', subject: 's', username: 'u' })).toEqual(['u', 's', 'u']);
});

const specWith = (url: string, queries: Record<string, string>, issuer = 'https://identity.example') =>
  issuerSpec.parse({ issuer, audiences: [audience], lookups: [{ kind: 'sql', url, queries }] });

it.each([
  ['oracle://company/x', /only PostgreSQL .* and MySQL/],
  ['jdbc:mysql://company/x', /only PostgreSQL .* and MySQL/],
  ['mysql://company', /names no database/],
  ['mysql://company/x?useSSL=false', /"useSSL" is not known/],
  ['mysql://company/x?ssl-mode=maybe', /ssl-mode must be one of disabled, required, verify_identity/],
])('%s is refused when it is configured', (url, message) => {
  expect(() => issuerSettings(specWith(url, { roles: 'select 1 where 1 = :subject' }))).toThrow(message);
});

const roles = `select r.role_code from sys_role r join sys_user_role ur on ur.role_id = r.id
  join sys_user u on u.id = ur.user_id where u.username = :username`;
const permissions = `select p.perm_code from sys_permission p join sys_role_permission rp on rp.permission_id = p.id
  join sys_user_role ur on ur.role_id = rp.role_id join sys_user u on u.id = ur.user_id where u.username = :username`;
const everybody =
  "with recursive n as (select 1 as i union all select i + 1 from n where i < 90) select a.i from n a cross join n b where :username <> ''";
const writes = {
  PostgreSQL: "insert into sys_user_role select 1, 11 where 'ulla' = :username returning role_id",
  MySQL: "insert into sys_user_role select 1, 11 from dual where 'ulla' = :username",
};

describe.each(companyDatabases)('in $name', ({ name, missing, open }) => {
  describe.skipIf(missing)('with the tables of the company', () => {
    let company: CompanyDatabase;
    let key: SigningKey;
    let service: OauthService;
    let authenticator: Authenticator | null = null;

    beforeAll(async () => {
      company = await open();
      key = await makeKey('k1');
      service = await startOauthService([key]);
    });
    afterEach(() => authenticator?.close());
    afterAll(async () => {
      await service[Symbol.asyncDispose]();
      await company[Symbol.asyncDispose]();
    });

    async function admit(queries: Record<string, string>, claims: Record<string, unknown> = {}, database = company.url) {
      authenticator?.close();
      authenticator = createAuthenticator({ issuers: [issuerSettings(specWith(database, queries, service.issuer))], logger: silentLogger });
      return authenticator.verify(await service.sign(key, { username: 'ulla', ...claims }));
    }

    it('roles and codes come only from the tables, whatever the token says', async () => {
      const principal = await admit({ roles, permissions }, { roles: ['admin'], authorities: ['ROLE_ADMIN'], scope: 'llm:skill:manage' });
      expect(principal.roles).toEqual(['developer']);
      expect([...principal.permissions]).toEqual(['llm:model:use']);
    });

    it('many people are looked up over a few connections', async () => {
      await admit({ roles, permissions });
      const principals = await Promise.all(
        Array.from({ length: 40 }, async (_none, index) =>
          authenticator?.verify(await service.sign(key, { sub: `person-${index}`, username: index % 2 === 0 ? 'ulla' : 'otto' })),
        ),
      );
      expect(principals.map((principal) => principal?.roles[0])).toEqual(
        Array.from({ length: 40 }, (_none, index) => (index % 2 === 0 ? 'developer' : 'admin')),
      );
    });

    it('a person missing in the tables has no rights', async () => {
      const principal = await admit({ roles, permissions }, { username: 'eve', roles: ['admin'], scope: 'llm:model:use' });
      expect(principal.roles).toEqual([]);
      expect(principal.permissions.size).toBe(0);
    });

    it('a name is a parameter, never a part of the statement', async () => {
      for (const username of ["x' or '1'='1", "x\\' or 1=1 -- ", 'x"; drop table sys_user; --'])
        expect((await admit({ roles, permissions }, { username })).roles).toEqual([]);
    });

    it.each([
      ['a row', writes[name]],
      ['a table', 'create table stolen as select role_code from sys_role where role_code <> :username'],
      ['a second statement', `select role_code from sys_role where role_code = :username; ${writes[name]}`],
    ])('nothing is ever written: %s', async (_what, statement) => {
      await expect(admit({ roles: statement })).rejects.toMatchObject({ code: 'auth_unavailable' });
      const [row] = await company.run('select count(*) as count from sys_user_role');
      expect(Number(row?.['count'])).toBe(2);
      await expect(company.run('select * from stolen')).rejects.toThrow(/stolen/);
    });

    it.each([
      ['a database that is away', { roles }, `${name === 'MySQL' ? 'mysql' : 'postgres'}://somebody@127.0.0.1:1/x`, {}],
      ['a table that is not there', { roles: 'select 1 from nowhere where 1 = :username' }, undefined, {}],
      ['a query that brings everybody’s', { roles: everybody }, undefined, {}],
      // MySQL converts `2x` to 2.
      ['a name compared with a number', { roles: roles.replace('u.username', 'u.id') }, undefined, { username: '2x' }],
    ])('%s denies access, whatever the token says', async (_name, queries, database, claims) => {
      await expect(admit(queries, { roles: ['admin'], ...claims }, database ?? company.url)).rejects.toMatchObject({
        code: 'auth_unavailable',
        status: 503,
      });
    });
  });
});

it('databases that do not answer deny access, within seconds', async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const key = await makeKey('k1');
  await using service = await startOauthService([key]);
  try {
    const admitting = ['postgres', 'mysql'].map(async (scheme) => {
      const issuer = issuerSettings(specWith(`${scheme}://somebody@127.0.0.1:${port}/x`, { roles }, service.issuer));
      const authenticator = createAuthenticator({ issuers: [issuer], logger: silentLogger });
      try {
        await expect(authenticator.verify(await service.sign(key, { username: 'ulla' }))).rejects.toMatchObject({
          code: 'auth_unavailable',
        });
      } finally {
        authenticator.close();
      }
    });
    await Promise.all(admitting);
  } finally {
    silent.close();
    for (const socket of sockets) socket.destroy();
  }
});

/** `pailou doctor` as operators run it: faults are named with their place, and a token is explained step by step. */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { audience, makeKey, type OauthService, type SigningKey, startOauthService } from '../auth/oauth-service.ts';
import { postgresUrl } from '../storage/databases.ts';
import { copyDatabaseInto } from '../storage/template-databases.ts';
import { startBreakablePostgres } from './breakable-postgres.ts';
import { freePort, node, startGateway } from './gateway.ts';

const cli = join(import.meta.dirname, '../../src/cli.ts');
let key: SigningKey;
let service: OauthService;
let folder: string;

beforeAll(async () => {
  key = await makeKey('k1');
  service = await startOauthService([key]);
  folder = await mkdtemp(join(tmpdir(), 'pailou-doctor-'));
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function doctor(
  args: readonly string[],
  more: Record<string, string> = {},
  input = '',
): Promise<{ code: number | null; out: string }> {
  const env = {
    PATH: process.env['PATH'],
    PAILOU_DATA_DIR: join(folder, 'data'),
    PAILOU_OAUTH_ISSUER: service.issuer,
    PAILOU_OAUTH_AUDIENCE: audience,
    ...more,
  };
  const child = spawn(node, [cli, 'doctor', ...args], { env, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(input);
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
  const [out, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  return { code, out: out + errors };
}

describe('pailou doctor', () => {
  it('explains how a token is read, from its parts to the person and their rights', async () => {
    service.userinfo.body = { sub: 'ulla', roles: ['developer'], phone: '13800000000' };
    const { code, out } = await doctor(['--token', '-'], {}, `${await service.sign(key)}\n`);
    expect(out).toMatch(/✓ service .*one of 1 keys/);
    expect(out).toMatch(/✓ token: the service answered: sub, roles, phone/);
    expect(out).toMatch(/✓ token: its claims are mapped: .*"roles":\["developer"\]/);
    expect(out).not.toContain('13800000000');
    expect(code).toBe(0);
    // The command creates nothing.
    expect(await readdir(folder)).toEqual([]);
  });

  it('says that the development identity service starts with the gateway', async () => {
    const ports = { PAILOU_PORT: String(await freePort()), PAILOU_IDENTITY_PORT: String(await freePort()) };
    const { code, out } = await doctor([], { PAILOU_OAUTH_ISSUER: '', PAILOU_OAUTH_AUDIENCE: '', ...ports });
    expect(out).toContain('ECONNREFUSED');
    expect(out).toContain('→ The development identity service runs with the gateway. Start both: npx pailou start');
    expect(code).toBe(1);
  });

  it('names the step at which a token is refused, and exits with 1', async () => {
    const wrong = await doctor(['--token', await service.sign(key, { aud: 'other' }), '--json']);
    expect(wrong.code).toBe(1);
    const { ok, findings } = JSON.parse(wrong.out) as { ok: boolean; findings: { ok: boolean; about: string; says: string }[] };
    expect(ok).toBe(false);
    expect(findings.at(-2)?.says).toMatch(/^its signature and its times are valid/);
    expect(findings.at(-1)).toMatchObject({
      ok: false,
      about: 'token',
      says: expect.stringMatching(/^refused with token_invalid: .*"aud"/),
    });

    service.userinfo = { status: 500, body: {} };
    const unknown = await doctor(['--token', await service.sign(key)]);
    expect(unknown.out).toMatch(/✗ token: refused with auth_unavailable: .*it answered 500/);
    expect(unknown.code).toBe(1);
  });

  it('names a service with another issuer, or an unreachable one', async () => {
    const other = await doctor([], { PAILOU_OAUTH_ISSUER: service.issuer.replace('127.0.0.1', 'localhost') });
    expect(other.out).toMatch(/✗ service .*names another issuer/);
    const away = await doctor([], { PAILOU_OAUTH_ISSUER: 'http://127.0.0.1:1' });
    expect(away.out).toMatch(/✗ service .*(ECONNREFUSED|bad port)/);
    expect(away.code).toBe(1);
  });

  it('refuses bad settings and an empty token with 2', async () => {
    expect(await doctor([], { PAILOU_PORT: 'x' })).toMatchObject({ code: 2, out: expect.stringContaining('PAILOU_PORT') });
    expect(await doctor(['--token', '-'])).toMatchObject({ code: 2, out: expect.stringContaining('--token is empty') });
  });

  it('refuses an address that is none with 2, and gives no token to another program', async () => {
    expect(await doctor(['--url', 'nonsense'])).toMatchObject({ code: 2, out: expect.stringContaining('--url') });
    const seen: string[] = [];
    const server = createServer((request, response) => {
      seen.push(`${request.url} ${request.headers.authorization}`);
      response.writeHead(503, { 'content-type': 'application/json' }).end('{"status":"down"}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { code, out } = await doctor(['--url', url], { PAILOU_TOKEN: 'TOKEN-CANARY' });
    expect([code, out]).toEqual([1, expect.stringMatching(/✗ gateway: .*HTTP 503\n {2}→ Another program/)]);
    expect(seen).toEqual(['/readyz undefined']);
  });

  it('says that the gateway is down where one was started before, and not before the first start', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'pailou-doctor-used-'));
    onTestFinished(() => rm(dataDir, { recursive: true }));
    const at = { PAILOU_DATA_DIR: dataDir, PAILOU_PORT: String(await freePort()) };
    expect(await doctor([], at)).toMatchObject({ code: 0, out: expect.stringMatching(/✓ gateway: none runs at .* yet/) });
    await copyDatabaseInto(dataDir);
    const down = await doctor([], at);
    expect([down.code, down.out]).toEqual([1, expect.stringMatching(/✗ gateway: none answers at .*ECONNREFUSED.*\n {2}→ Start it/)]);
    expect(down.out).toMatch(/✓ tables: they are those of this version/);
  });

  it('names nodes and tables of another version', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'pailou-doctor-used-'));
    onTestFinished(() => rm(dataDir, { recursive: true }));
    await copyDatabaseInto(dataDir);
    const run = (statement: string): void => {
      using database = new DatabaseSync(join(dataDir, 'pailou.db'));
      database.exec(statement);
    };
    run(
      `insert into llm_node (id, host, version, revision, started_at, seen_at) values ('a', 'h', '9.9.9', 1, 0, ${Date.now() + 3_600_000})`,
    );
    run(`insert into llm_migration (name, timestamp) values ('9998-more', '2026-12-01')`);
    const at = { PAILOU_DATA_DIR: dataDir };
    const newer = await doctor([], at);
    expect([newer.code, newer.out]).toEqual([
      1,
      expect.stringMatching(/✗ nodes: a node on h runs version 9\.9\.9.*\n {2}→ Finish the upgrade/),
    ]);
    expect(newer.out).toMatch(/✓ tables: a newer version added 1 migrations/);
    run(`insert into llm_migration (name, timestamp) values ('9999-breaks', '2026-12-01')`);
    run(`insert into llm_breaking_migration (name) values ('9999-breaks')`);
    expect((await doctor([], at)).out).toMatch(/✗ tables: .*newer version.*9999-breaks.*\n {2}→ Run the program of the version/);
  });

  it.skipIf(postgresUrl === undefined)('names a database that is slow, and one that hangs, with what the gateway still says', async () => {
    await using owned = new AsyncDisposableStack();
    const { dataDir, proxy, url } = await startBreakablePostgres(owned);
    const gateway = owned.use(await startGateway({ PAILOU_DATA_DIR: dataDir, PAILOU_DATABASE_URL: url }));
    const env = {
      ...gateway.env,
      PAILOU_OAUTH_ISSUER: gateway.gateway.issuer,
      PAILOU_OAUTH_AUDIENCE: gateway.url,
      PAILOU_TOKEN: await gateway.token('admin'),
    };
    proxy.delay(200);
    const slow = await doctor(['--url', gateway.url], env);
    expect([slow.code, slow.out]).toEqual([
      1,
      expect.stringMatching(/✗ database: it is slow: .* takes [2-9]?\d\d\d ms\n {2}→ Look at the load/),
    ]);
    expect(slow.out).toContain('✓ nodes: one is registered');
    proxy.delay(0);
    proxy.stall();
    const hung = await doctor(['--url', gateway.url], env);
    expect([hung.code, hung.out]).toEqual([1, expect.stringMatching(/✗ database: .*cannot be reached/)]);
    expect(hung.out).toMatch(/✗ gateway: .* serves, but its database is away or slow\n {2}→ Bring the database back/);
    expect(hung.out).toMatch(/✓ descriptors: /);
    await proxy.restore();
  });
});

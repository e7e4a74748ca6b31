/** `pailou doctor` as operators run it: faults are named with their place, and a token is explained step by step. */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { audience, makeKey, type OauthService, type SigningKey, startOauthService } from '../auth/oauth-service.ts';
import { node } from './gateway.ts';

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
});

/** `pailou backup` while calls go on, and `pailou restore` on another machine: configuration, secrets, ledger and audit are those of the backup. */
import { spawn, spawnSync } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DatabaseKind, databaseKinds } from '../storage/databases.ts';
import { eventually, node, runEnv, startGateway, type TestGateway } from './gateway.ts';
import { startVendor, type Vendor } from './vendor.ts';

const cli = join(import.meta.dirname, '../../src/cli.ts');
const masterKey = Buffer.from(Array.from({ length: 32 }, (_, at) => (at * 7) % 256)).toString('base64');
const otherKey = Buffer.from(Array.from({ length: 32 }, (_, at) => (at * 11 + 3) % 256)).toString('base64');

let vendor: Vendor;
beforeAll(async () => {
  vendor = await startVendor();
});
afterAll(() => vendor[Symbol.asyncDispose]());

async function pailou(env: Record<string, string>, ...args: string[]): Promise<{ code: number | null; out: string; errors: string }> {
  const child = spawn(node, [cli, ...args], { env: { ...runEnv, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
  const [code, out, errors] = await Promise.all([closed, text(child.stdout), text(child.stderr)]);
  return { code, out, errors };
}

const messages = [{ role: 'user', content: 'Hi' }];
const call = (gateway: TestGateway) => gateway.as('admin', 'POST', '/v1/chat/completions', { model: 'm', messages });

async function configure(gateway: TestGateway): Promise<void> {
  const options = { base_url: vendor.url, api_key: 'sk-secret-of-the-vendor' };
  await gateway.as('admin', 'POST', '/api/providers', { name: 'v', spec: { kind: 'openai-compatible', options } });
  const made = await gateway.as('admin', 'POST', '/api/models', { name: 'm', spec: { deployments: [{ provider: 'v', model: 'up' }] } });
  expect(made.status, made.text).toBe(201);
}

describe.each(databaseKinds)('on $name', (kind: DatabaseKind) => {
  it.skipIf(kind.missing)('holds one moment of a gateway under load, and another machine serves it with the same key', async () => {
    await using place = await kind.createMigrated();
    await using target = await kind.create();
    const scratch = await mkdtemp(join(tmpdir(), 'pailou-backup-'));
    const folder = join(scratch, 'one');
    const settings = (url: string | null, dataDir: string, key = masterKey): Record<string, string> => ({
      PAILOU_DATA_DIR: dataDir,
      PAILOU_MASTER_KEY: key,
      ...(url === null ? {} : { PAILOU_DATABASE_URL: url }),
    });
    const here = settings(place.url, join(scratch, 'here'));
    {
      await using gateway = await startGateway(here);
      await configure(gateway);
      const load = { calling: true };
      const calls = Promise.all(
        Array.from({ length: 4 }, async () => {
          while (load.calling) expect((await call(gateway)).status).toBe(200);
        }),
      );
      const done = await pailou(here, 'backup', folder);
      load.calling = false;
      await calls;
      expect(done, done.errors).toMatchObject({ code: 0, errors: '' });
      expect(done.out).toMatch(/^Backed up to .* revision \d+ of the configuration\.\nIts secrets open with the master key \S+,/);
      await gateway.as('admin', 'POST', '/api/models', { name: 'later', spec: { deployments: [{ provider: 'v', model: 'up' }] } });
    }
    const files = await readdir(folder);
    expect(files).toHaveLength(2);
    for (const file of files) expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(folder, 'backup.json'), 'utf8')).not.toContain('sk-secret');

    const there = settings(target.url, join(scratch, 'there'));
    const wrong = await pailou({ ...there, PAILOU_MASTER_KEY: otherKey }, 'restore', folder);
    expect(wrong.code).toBe(1);
    expect(wrong.errors).toContain('The configured master key does not open this backup; it needs the key');
    const restored = await pailou(there, 'restore', folder);
    expect(restored, restored.errors).toMatchObject({ code: 0, errors: '' });
    expect(await pailou(there, 'audit', 'verify')).toMatchObject({ code: 0, out: expect.stringContaining('all unchanged') });

    await using again = await startGateway(there);
    vendor.requests.length = 0;
    expect((await call(again)).status).toBe(200);
    expect(vendor.requests[0]?.headers['authorization'], 'the secret opens').toBe('Bearer sk-secret-of-the-vendor');
    expect((await again.as('admin', 'GET', '/api/models/later')).status, 'was made after the backup').toBe(404);
    const runs = await eventually(
      () => again.as('admin', 'GET', '/api/runs?limit=5'),
      ({ json }) => json.data.length > 0,
    );
    expect(runs.status).toBe(200);

    const twice = await pailou(there, 'restore', folder);
    expect(twice.code).toBe(1);
    expect(twice.errors).toMatch(/There is a database .* already|holds tables of Pailou already/);
    await rm(scratch, { recursive: true });
  });
});

describe('with SQLite', () => {
  let scratch: string;
  let env: Record<string, string>;
  let folder: string;

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'pailou-backup-'));
    folder = join(scratch, 'one');
    env = { PAILOU_DATA_DIR: join(scratch, 'data'), PAILOU_MASTER_KEY: masterKey };
    await using gateway = await startGateway(env);
    await configure(gateway);
    expect((await pailou(env, 'backup', folder)).code).toBe(0);
  });
  afterAll(() => rm(scratch, { recursive: true }));

  it('a restore into a new folder leaves no file that others may read', async () => {
    const data = join(scratch, 'private');
    expect((await pailou({ ...env, PAILOU_DATA_DIR: data }, 'restore', folder)).code).toBe(0);
    const names = await readdir(data);
    expect(names).toContain('pailou.db.lock');
    for (const name of names) expect([name, (await stat(join(data, name))).mode & 0o777]).toEqual([name, 0o600]);
  });

  it('a full disk of the backup is named as such, and the folder is empty for the next attempt', async ({ skip }) => {
    const small = join(scratch, 'small');
    await mkdir(small);
    skip(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', small]).status !== 0, 'needs the right to mount');
    try {
      const target = join(small, 'one');
      const full = await pailou(env, 'backup', target);
      expect(full).toMatchObject({
        code: 1,
        errors: expect.stringContaining(`There is no room for the backup ${join(target, 'pailou.db')}`),
      });
      expect(await readdir(target)).toEqual([]);
    } finally {
      spawnSync('umount', [small]);
    }
  });

  it.runIf(process.platform === 'linux')('a folder that cannot be made is refused, and not tried for ever', async () => {
    const refused = await pailou({ PAILOU_DATA_DIR: join(folder, 'unmade') }, 'backup', '/proc/none/backup');
    expect(refused).toMatchObject({ code: 1, errors: expect.stringContaining('The folder /proc/none/backup cannot be made (ENOENT)') });
  });

  it('a backup needs an empty folder', async () => {
    const again = await pailou(env, 'backup', folder);
    expect(again).toMatchObject({ code: 1, errors: expect.stringContaining('is not empty') });
    const below = await pailou(env, 'backup', join(folder, 'backup.json', 'two'));
    expect(below.code).toBe(1);
    expect(below.errors, 'one sentence, no stack').toMatch(/^The folder .*two cannot be made \(ENOTDIR\)\. .*\n$/);
  });

  it('a backup that fails leaves an empty folder for the next attempt', async () => {
    const data = join(scratch, 'broken');
    await mkdir(data);
    await writeFile(join(data, 'pailou.db'), 'no database at all '.repeat(100));
    const target = join(scratch, 'failed');
    expect((await pailou({ ...env, PAILOU_DATA_DIR: data }, 'backup', target)).code).toBe(1);
    expect(await readdir(target)).toEqual([]);
    expect((await pailou(env, 'backup', target)).code).toBe(0);
  });

  it('--replace keeps the last changes of the database beside it', async () => {
    const data = join(scratch, 'killed');
    await mkdir(data);
    for (const ending of ['', '-wal']) await writeFile(join(data, `pailou.db${ending}`), 'old');
    const done = await pailou({ ...env, PAILOU_DATA_DIR: data }, 'restore', folder, '--replace', '--json');
    expect(done, done.errors).toMatchObject({ code: 0 });
    const { moved } = JSON.parse(done.out) as { moved: string[] };
    expect(moved).toEqual([moved[0], `${moved[0]}-wal`]);
  });

  it('--replace moves the database and the copies of it aside, and a running gateway is not replaced', async () => {
    {
      await using _serving = await startGateway(env);
      const busy = await pailou(env, 'restore', folder, '--replace');
      expect(busy).toMatchObject({ code: 1, errors: expect.stringContaining('Another gateway process runs on the database') });
    }
    const done = await pailou(env, 'restore', folder, '--replace', '--json');
    expect(done, done.errors).toMatchObject({ code: 0 });
    const { moved } = JSON.parse(done.out) as { moved: string[] };
    expect(moved.map((path) => path.replace(/^.*\//, '').replace(/\.before-restore-.*/, ''))).toEqual(
      expect.arrayContaining(['pailou.db', 'last-good.jsonl']),
    );
    await using gateway = await startGateway(env);
    expect((await call(gateway)).status).toBe(200);
  });

  it('a damaged file, a newer version and a folder without a backup are refused before anything changes', async () => {
    const there = { ...env, PAILOU_DATA_DIR: join(scratch, 'there') };
    expect(await pailou(there, 'restore', scratch)).toMatchObject({ code: 1, errors: expect.stringContaining('holds no backup') });
    const description = join(folder, 'backup.json');
    const kept = await readFile(description, 'utf8');
    await writeFile(description, kept.replace(/"migration": "[^"]+"/, '"migration": "9999-the-future"'));
    expect(await pailou(there, 'restore', folder)).toMatchObject({ code: 1, errors: expect.stringContaining('newer version') });
    await writeFile(description, kept);
    await appendFile(join(folder, 'pailou.db'), 'x');
    expect(await pailou(there, 'restore', folder)).toMatchObject({ code: 1, errors: expect.stringContaining('is damaged') });
    await expect(readdir(join(scratch, 'there'))).rejects.toThrow('ENOENT');
  });

  it('a lost master key: --without-key restores, and the provider says what to do', async () => {
    const copy = join(scratch, 'two');
    expect((await pailou(env, 'backup', copy)).code).toBe(0);
    const there = { PAILOU_DATA_DIR: join(scratch, 'lost'), PAILOU_MASTER_KEY: otherKey };
    expect((await pailou(there, 'restore', copy, '--without-key')).code).toBe(0);
    await using gateway = await startGateway(there);
    const refused = await call(gateway);
    expect(refused.status).toBeGreaterThanOrEqual(400);
    const problems = await gateway.as('admin', 'GET', '/api/config/problems');
    expect(problems.text).toContain('master key');
    const options = { base_url: vendor.url, api_key: 'sk-entered-again' };
    const version = (await gateway.as('admin', 'GET', '/api/providers/v')).headers.get('etag') ?? '*';
    const mended = await gateway.as(
      'admin',
      'PUT',
      '/api/providers/v',
      { spec: { kind: 'openai-compatible', options } },
      { 'if-match': version },
    );
    expect(mended.status, mended.text).toBe(200);
    await eventually(
      () => call(gateway),
      ({ status }) => status === 200,
    );
  });
});

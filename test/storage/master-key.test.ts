/** The master key: read from the settings, or created once in the data folder. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadMasterKey, parseMasterKey } from '../../src/storage/master-key.ts';

const root = join(import.meta.dirname, '../..');
const key = randomBytes(32);
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pailou-key-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('a configured master key', () => {
  it('is 32 bytes in hex or base64, with or without padding and white space', () => {
    for (const text of [
      key.toString('hex'),
      key.toString('hex').toUpperCase(),
      key.toString('base64'),
      key.toString('base64url'),
      ` ${key.toString('base64')}\n`,
    ])
      expect(parseMasterKey(text)).toEqual(key);
  });

  it('is refused in any other form, without being logged', () => {
    const wrong = [
      '',
      'secret',
      'x'.repeat(64),
      randomBytes(31).toString('base64'),
      randomBytes(33).toString('base64'),
      key.toString('hex').slice(2),
      `${key.toString('base64')}!`,
    ];
    for (const text of [...wrong, '0'.repeat(64), Buffer.alloc(32, 'ab').toString('base64')]) {
      const refused = expect.objectContaining({
        code: 'configuration_invalid',
        param: 'PAILOU_MASTER_KEY',
        message: expect.stringMatching(/^PAILOU_MASTER_KEY .*openssl rand -base64 32$/) as string,
      }) as Error;
      expect(() => parseMasterKey(text)).toThrow(refused);
    }
  });

  it('writes no file', async () => {
    const loaded = loadMasterKey({ masterKey: key.toString('hex'), dataDir: folder, mode: 'production' });
    expect(loaded.key).toEqual(key);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('without a configured master key,', () => {
  it('production mode refuses to start', () => {
    expect(() => loadMasterKey({ masterKey: null, dataDir: folder, mode: 'production' })).toThrow(
      /PAILOU_MASTER_KEY is needed in production mode/,
    );
  });

  it('development mode creates one that only its owner may read, and finds it again', async () => {
    const dataDir = join(folder, 'data');
    const first = loadMasterKey({ masterKey: null, dataDir, mode: 'development' });
    expect(loadMasterKey({ masterKey: null, dataDir, mode: 'development' })).toEqual(first);
    expect((await stat(join(dataDir, 'master.key'))).mode & 0o777).toBe(0o600);
    expect(await readdir(dataDir)).toEqual(['master.key']);
    expect(parseMasterKey(await readFile(join(dataDir, 'master.key'), 'utf8'))).toEqual(first.key);
  });

  it('concurrent processes get the same one', async () => {
    const program = `
      import { loadMasterKey } from ${JSON.stringify(join(root, 'src/storage/master-key.ts'))};
      console.log(loadMasterKey({ masterKey: null, dataDir: ${JSON.stringify(folder)}, mode: 'development' }).id);
    `;
    const start = async (): Promise<string> =>
      (await promisify(execFile)(join(root, 'node_modules/.bin/node'), ['--input-type=module', '-e', program])).stdout;
    expect(new Set(await Promise.all([start(), start(), start(), start()])).size).toBe(1);
    expect(await readdir(folder)).toEqual(['master.key']);
  });

  it('a damaged key file is not replaced', async () => {
    await writeFile(join(folder, 'master.key'), 'half a k');
    expect(() => loadMasterKey({ masterKey: null, dataDir: folder, mode: 'development' })).toThrow(
      /master\.key does not hold a key of 32 bytes\. Put the former key back/,
    );
    expect(await readFile(join(folder, 'master.key'), 'utf8')).toBe('half a k');
  });

  it('the error names a folder that cannot be created', async () => {
    await writeFile(join(folder, 'file'), '');
    const failing = expect.objectContaining({
      code: 'storage_unavailable',
      message: expect.stringContaining('Check PAILOU_DATA_DIR') as string,
    }) as Error;
    expect(() => loadMasterKey({ masterKey: null, dataDir: join(folder, 'file'), mode: 'development' })).toThrow(failing);
  });
});

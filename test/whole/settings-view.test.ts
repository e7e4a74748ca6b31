/** GET /api/settings: the settings of the process for the administrators of the tenant that runs it, without secrets. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { settingHelpZh } from '../../src/config/setting-help-zh.ts';
import { settingTable } from '../../src/config/setting-table.ts';
import { startGateway, type TestGateway } from './gateway.ts';

interface Shown {
  name: string;
  value: string | null;
  is_set: boolean;
  is_secret: boolean;
  help: { en: string; zh: string };
}
const masterKey = randomBytes(32).toString('base64');
const metricsToken = 'a-token-that-nobody-sees';
let folder: string;
let gateway: TestGateway;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pailou-settings-'));
  const file = join(folder, 'master-key');
  await writeFile(file, masterKey);
  gateway = await startGateway({
    PAILOU_METRICS_TOKEN: metricsToken,
    PAILOU_MASTER_KEY_FILE: file,
    PAILOU_KEEP_RUNS_DAYS: '30',
    PAILOU_PUBLIC_URL: 'http://someone:a-password@127.0.0.1/llm',
    PAILOU_STDIO_PROGRAMS: JSON.stringify({
      files: { command: 'node', args: ['files.js', '--token=inside-a-command-line'], tenants: '*' },
    }),
  });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const shown = async (): Promise<{ text: string; of: (name: string) => Shown | undefined }> => {
  const { status, text, json } = await gateway.as('admin', 'GET', '/api/settings?limit=200');
  expect(status).toBe(200);
  return { text, of: (name) => (json.data as Shown[]).find((each) => each.name === name) };
};

describe('GET /api/settings', () => {
  it('shows each setting with its value, or the default that holds, and its meaning in both languages', async () => {
    const { of } = await shown();
    for (const name of Object.keys(settingTable)) expect(of(name)?.help.zh, name).toMatch(/[\u4e00-\u9fff]/);
    expect(of('PAILOU_KEEP_RUNS_DAYS')).toMatchObject({ value: '30', is_set: true, is_secret: false, default: '90' });
    expect(of('PAILOU_KEEP_HISTORY_DAYS')).toMatchObject({ value: null, is_set: false, default: '365' });
    expect(new Set(Object.values(settingHelpZh)).size).toBe(Object.keys(settingTable).length);
  });

  it('says that a secret is set, and never what it is, nor a command line that may hold one', async () => {
    const { text, of } = await shown();
    for (const name of ['PAILOU_METRICS_TOKEN', 'PAILOU_MASTER_KEY', 'PAILOU_STDIO_PROGRAMS'])
      expect(of(name), name).toMatchObject({ value: null, is_set: true, is_secret: true });
    expect(text).not.toContain(metricsToken);
    expect(text).not.toContain(masterKey);
    expect(text).not.toContain('inside-a-command-line');
    expect(of('PAILOU_PUBLIC_URL')?.value).toBe('http://…@127.0.0.1/llm');
  });

  it('is for administrators', async () => {
    for (const role of ['developer', 'user', 'viewer'] as const)
      expect((await gateway.as(role, 'GET', '/api/settings')).status, role).toBe(403);
  });
});

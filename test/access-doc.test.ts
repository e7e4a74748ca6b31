/** Tests every command and example on the access page. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { issuerPresets } from '../src/auth/issuer-presets.ts';
import { issuerSpec } from '../src/auth/issuer-spec.ts';
import { issuersFromSettings } from '../src/auth/issuers.ts';
import { readSettings } from '../src/config/settings.ts';

let page: string;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pailou-access-'));
  await writeFile(join(folder, 'secret'), 'postgres://reader@db.company.cn/company');
  page = (await readFile(join(import.meta.dirname, '../docs/access.md'), 'utf8')).replaceAll(
    /\/run\/secrets\/[\w-]+/g,
    join(folder, 'secret'),
  );
});
afterAll(() => rm(folder, { recursive: true }));

const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'gm'))].map(([, block]) => block ?? '');

it('its variables are taken, block by block', async () => {
  const reading = blocks('sh').map(async (block) => {
    const lines = block.trim().split('\n');
    expect(lines.length).toBeLessThanOrEqual(5);
    const env = Object.fromEntries(lines.map((line) => line.replace(/\s+#.*/, '').split(/=(.*)/s)) as [string, string][]);
    return { preset: env['PAILOU_OAUTH_PRESET'] ?? 'sas', issuers: await issuersFromSettings(readSettings(env).oauth) };
  });
  const described = await Promise.all(reading);
  expect(described.map(({ preset }) => preset)).toEqual(['sas', 'legacy-spring', 'ruoyi', 'jeecg', 'pig', 'keycloak']);
  for (const { issuers } of described) expect(issuers).toHaveLength(1);
});

it('its file is taken', async () => {
  const [yaml = ''] = blocks('yaml');
  await writeFile(join(folder, 'oauth.yaml'), yaml);
  const issuers = await issuersFromSettings(readSettings({ PAILOU_OAUTH_SERVICES: join(folder, 'oauth.yaml') }).oauth);
  expect(issuers.map(({ issuer, tokens, lookups }) => [issuer, tokens, lookups[0]?.kind])).toEqual([
    ['https://auth.company.cn', 'jwt', 'sql'],
    ['partner', 'opaque', 'http'],
    ['https://sso.company.cn/realms/team', 'jwt', 'http'],
    ['https://hr.company.cn', 'jwt', 'http'],
  ]);
});

it('names every preset and every field', () => {
  const missing = [...Object.keys(issuerPresets), ...Object.keys(issuerSpec.shape)].filter(
    (name) => !page.includes(`\`${name}\``) && !new RegExp(`\\b${name}:`).test(page) && !page.includes(name.toUpperCase()),
  );
  expect(missing).toEqual([]);
});

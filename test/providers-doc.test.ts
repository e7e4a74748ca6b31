/** Holds `docs/providers.md` to what the providers do. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { providersPageZh } from '../scripts/providers-page-zh.ts';
import { providersPage } from '../scripts/providers-page.ts';
import { projectRoot } from './architecture/source-tree.ts';

/** The first page loads every provider, which takes long on a busy machine. */
const timeout = 120_000;

it('the page of providers says what the providers do', { timeout }, async () => {
  const page = readFileSync(join(projectRoot, 'docs/providers.md'), 'utf8');
  expect(page, 'docs/providers.md differs from what the providers do. Write it anew: npm run docs').toBe(await providersPage());
  expect(page.match(/^\| `[a-z-]+` \|/gm)?.length).toBeGreaterThan(50);
});

it('the Chinese page of providers says the same', async () => {
  const page = readFileSync(join(projectRoot, 'docs/zh/providers.md'), 'utf8');
  expect(page, 'docs/zh/providers.md differs from what the providers do. Write it anew: npm run docs').toBe(await providersPageZh());
  expect(page).not.toMatch(/\| (native|JSON mode|words|none found|your own) \|/);
});

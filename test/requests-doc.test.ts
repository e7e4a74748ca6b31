/** Holds `docs/requests.md` to what the code sends for one rich request, and gives for one rich answer. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { requestsPage } from '../scripts/requests-page.ts';
import { projectRoot } from './architecture/source-tree.ts';

it('the page of requests says what each kind gets and each client format gives', async () => {
  const page = readFileSync(join(projectRoot, 'docs/requests.md'), 'utf8');
  expect(page, 'run `npm run docs`').toBe(await requestsPage());
  const kinds = readdirSync(join(projectRoot, 'src/providers')).filter((name) => name.endsWith('.ts'));
  for (const kind of kinds) expect(page, kind).toContain(`### ${kind.replace(/\.ts$/, '')}\n`);
});

/** Holds `docs/reasoning.md` to the table of model families and the dialects. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { reasoningPage } from '../scripts/reasoning-page.ts';
import { projectRoot } from './architecture/source-tree.ts';

it('the page of reasoning is the one that is written from the code', async () => {
  expect(readFileSync(join(projectRoot, 'docs/reasoning.md'), 'utf8'), 'run `npm run docs`').toBe(await reasoningPage());
});

/** Holds `docs/answers.md` to what the code does with each member of a vendor's answer. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { answersPage } from '../scripts/answers-page.ts';
import { projectRoot } from './architecture/source-tree.ts';

it('docs/answers.md covers each member of an answer', async () => {
  const wanted = await answersPage();
  const page = readFileSync(join(projectRoot, 'docs/answers.md'), 'utf8');
  expect(page, 'docs/answers.md differs from what the code does. Write it anew: npm run docs').toBe(wanted);
  expect(page).not.toMatch(/\| lost \|/);
  expect(page.match(/^\| (?:chat|embeddings|rerank|images|speech|transcriptions) \|/gm)?.length).toBeGreaterThan(80);
});

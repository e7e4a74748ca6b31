/** Holds `docs/counting.md` to the samples, and the samples to all operations; `test/whole/counting.test.ts` holds each row to a gateway. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { countingPage } from '../scripts/counting-page.ts';
import { countingSamples } from '../scripts/counting-samples.ts';
import { operations } from '../src/types/wire-format.ts';
import { projectRoot } from './architecture/source-tree.ts';

it('the page of counting is the one that is written from the code, and covers every operation', () => {
  expect(readFileSync(join(projectRoot, 'docs/counting.md'), 'utf8'), 'run `npm run docs`').toBe(countingPage());
  expect(new Set(countingSamples.map(({ operation }) => operation))).toEqual(new Set(operations));
});

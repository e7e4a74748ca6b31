/** Holds `docs/errors.md` to the table of error codes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorsPage } from '../scripts/errors-page.ts';
import { errorTable } from '../src/types/errors.ts';
import { projectRoot } from './architecture/source-tree.ts';

describe('the page of errors', () => {
  it('equals the table', () => {
    const page = readFileSync(join(projectRoot, 'docs/errors.md'), 'utf8');
    expect(page, 'docs/errors.md differs from src/types/errors.ts. Write it anew: npm run docs').toBe(errorsPage());
  });

  it('has one row for each code', () => {
    const rows = errorsPage().match(/^\| \d{3} \| `\w+` \|/gm) ?? [];
    expect(rows.length).toBe(Object.keys(errorTable).length);
    expect(rows.length).toBeGreaterThan(30);
  });

  it('gives every code a whole sentence and no cell that would break the table', () => {
    const bad = Object.entries(errorTable).filter(([, { meaning }]) => !/^[A-Z].{10,}\.$/.test(meaning) || meaning.includes('|'));
    expect(bad.map(([code]) => code)).toEqual([]);
  });
});

/** Holds `docs/prices.md` to the schema of a price. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pricesPage } from '../scripts/prices-page.ts';
import { priceSpec } from '../src/types/price-spec.ts';
import { projectRoot } from './architecture/source-tree.ts';

const page = readFileSync(join(projectRoot, 'docs/prices.md'), 'utf8');

describe('the page of prices', () => {
  it('is the one that is written from the code', () => {
    expect(page, 'run `npm run docs`').toBe(pricesPage());
  });

  it('names the unit of each amount, and gives examples that the schema takes', () => {
    const fields = [...page.matchAll(/^\| `([a-z_0-9]+)` \| ([^`].*) \|$/gm)].map(([, name = '', meaning = '']) => ({ name, meaning }));
    const amounts = fields.filter(({ name }) => !['currency', 'tiers', 'periods', 'batch'].includes(name));
    expect(amounts.length).toBeGreaterThan(12);
    expect(amounts.filter(({ meaning }) => !/\b[Pp]er /.test(meaning))).toEqual([]);
    const examples = [...page.matchAll(/```json\n([\s\S]*?)```/g)];
    expect(examples).toHaveLength(3);
    for (const [, example = ''] of examples) expect(priceSpec.safeParse(JSON.parse(example)).error).toBeUndefined();
  });
});

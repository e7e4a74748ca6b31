/** Holds `docs/configuration.md` to the table of settings, and the table to what is read. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { settingsPage } from '../scripts/settings-page.ts';
import { commandVariables, settingTable } from '../src/config/setting-table.ts';
import { projectRoot, readSources } from './architecture/source-tree.ts';

describe('the page of settings', () => {
  it('equals the table', () => {
    const page = readFileSync(join(projectRoot, 'docs/configuration.md'), 'utf8');
    expect(page, 'docs/configuration.md differs from src/config/setting-table.ts. Write it anew: npm run docs').toBe(settingsPage());
  });

  it('has every setting that is read, and each of its settings is read', () => {
    const sources = readSources('src').filter(({ path }) => path !== 'src/config/setting-table.ts');
    const read = new Set(
      sources
        .flatMap(({ text }) => [...text.matchAll(/'(PAILOU_[A-Z_]+)'/g)].map((match) => match[1] ?? ''))
        .filter((name) => !name.endsWith('_')),
    );
    expect([...read].filter((name) => !(name in commandVariables)).sort()).toEqual(Object.keys(settingTable).sort());
  });

  it('has no setting outside the table', () => {
    const named = new Set([...settingsPage().matchAll(/PAILOU_[A-Z_]*[A-Z]/g)].map(([name]) => name.replace(/_FILE$/, '')));
    expect([...named].filter((name) => !(name in settingTable || name in commandVariables))).toEqual([]);
  });
});

/** The data of the catalogue: each model has a source and a date, each amount a unit and a currency, and nothing occurs twice. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { catalogueVendors } from '../../../src/models/catalogue/vendors.ts';
import { type VendorTable, vendorTable } from '../../../src/types/known-model.ts';
import { parseAmount } from '../../../src/types/money.ts';
import type { PriceSpec } from '../../../src/types/price-spec.ts';
import { projectRoot } from '../../architecture/source-tree.ts';

const folder = join(projectRoot, 'src/models/catalogue/vendors');
const texts = new Map(readdirSync(folder).map((file) => [file.replace(/\.json$/, ''), readFileSync(join(folder, file), 'utf8')] as const));
const tables = new Map([...texts].map(([id, text]) => [id, JSON.parse(text) as VendorTable] as const));
const pricesOf = ({ price }: VendorTable['models'][number]): readonly PriceSpec[] =>
  price === undefined ? [] : Array.isArray(price) ? price : [price];

describe('the tables of the vendors', () => {
  it('are those that the list of vendors names', () => {
    expect([...tables.keys()].toSorted()).toEqual(catalogueVendors.map(({ id }) => id).toSorted());
    for (const list of [catalogueVendors.flatMap(({ kinds }) => kinds), catalogueVendors.flatMap(({ hosts }) => hosts)])
      expect(new Set(list).size, 'a kind or host that means two vendors').toBe(list.length);
  });

  it.each([...tables])('%s fits the schema', (_id, table) => {
    expect(vendorTable.safeParse(table).error?.issues).toBeUndefined();
  });

  it.each([...texts])('%s has one line for each model, in the order of their names', (_id, text) => {
    const lines = text.split('\n').filter((line) => line.startsWith('    {"model": '));
    const { models } = JSON.parse(text) as VendorTable;
    expect(lines.length).toBe(models.length);
    expect(text.split('\n').length).toBeLessThan(400);
    const names = models.map(({ model }) => model.toLowerCase());
    expect(names).toEqual(names.toSorted());
  });

  it.each([...tables])('%s names no model twice, and a source for each', (_id, { models, sources }) => {
    const names = models.flatMap(({ model, also = [] }) => [model, ...also]).map((name) => name.toLowerCase());
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
    expect(models.filter(({ source }) => sources[source] === undefined)).toEqual([]);
    const used = new Set(models.map(({ source }) => source));
    expect(Object.keys(sources).filter((key) => !used.has(key))).toEqual([]);
    const today = new Date().toISOString().slice(0, 10);
    for (const { date } of Object.values(sources)) expect(date > '2025-06-01' && date <= today, date).toBe(true);
  });

  it.each([...tables])('%s writes amounts as decimals in the unit that their name says', (_id, { models }) => {
    for (const model of models) {
      const prices = pricesOf(model);
      expect(new Set(prices.map(({ currency }) => currency)).size, model.model).toBe(prices.length);
      for (const price of prices) {
        const amounts = JSON.stringify(price).matchAll(/"(\w+)": ?"([\d.]+)"/g);
        // A mistake by a factor of a thousand or a million leaves this range: amounts per million tokens, or per one of the rest.
        for (const [, field = '', amount = ''] of amounts) {
          expect(parseAmount(amount), `${model.model} ${field} ${amount}`).not.toBeNull();
          const [least, most] = field.startsWith('per_') ? [0, 10] : [0.0001, 2_000];
          const isPlausible = Number(amount) === 0 || (Number(amount) >= least && Number(amount) <= most);
          expect(isPlausible, `${model.model} ${field} ${amount}`).toBe(true);
        }
      }
    }
  });

  it('know at least 300 models of 20 vendors, in dollars and in yuan', () => {
    const all = [...tables.values()].flatMap(({ models }) => models);
    const currencies = Map.groupBy(all.flatMap(pricesOf), ({ currency }) => currency);
    expect([...currencies.keys()].toSorted()).toEqual(['CNY', 'USD']);
    expect(tables.size).toBeGreaterThanOrEqual(20);
    expect(all.length).toBeGreaterThanOrEqual(300);
    expect(currencies.get('CNY')?.length).toBeGreaterThan(200);
  });

  it('have no price where it is unknown: a free model states so with a source', () => {
    const free = [...tables].flatMap(([id, { models }]) =>
      models
        .filter((model) => pricesOf(model).some(({ input, output }) => input === '0' && output === '0'))
        .map(({ source }) => [id, source] as const),
    );
    for (const [id, source] of free) expect(tables.get(id)?.sources[source]?.title, id).not.toContain('LiteLLM');
  });
});

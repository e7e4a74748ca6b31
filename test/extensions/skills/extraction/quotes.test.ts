/** Whether the words of a document say a value. */
import { describe, expect, it } from 'vitest';
import { readingOf, supportOf } from '../../../../src/extensions/skills/extraction/quotes.ts';
import type { Json } from '../../../../src/types/json.ts';

describe('a number', () => {
  it.each<[number, string]>([
    [1299.5, 'costs 1,299.50 EUR'],
    [1299.5, 'kostet 1.299,50 EUR'],
    [1299.5, "CHF 1'299.50"],
    [1299.5, '1 299,50 €'],
    [1299, '1,299 pieces'],
    [1.299, '1,299 litres'],
    [-20, 'a loss of 20'],
    [0, '0 EUR'],
    [2026, 'on 12.03.2026'],
    [2026, '2026-03-12'],
    [12, '12/2026'],
    [0.5, '0.5'],
    [0.5, '½ cup'],
    [2.5, '2 1/2 hours'],
    [1e-7, '0.0000001'],
  ])('%d is said by %s', (value, quote) => {
    expect(supportOf(value, quote)).toBe('exact');
  });

  it.each<[number, string]>([
    [1_200_000, '1.2 million'],
    [12_000, '12k'],
    [0.05, '5 %'],
    [50_000, '5万元'],
    [3, 'three apples'],
  ])('%d is implied by %s', (value, quote) => {
    expect(supportOf(value, quote)).toBe('implied');
  });

  it.each<[number, string]>([
    [5, '15 apples'],
    [15, '5 apples'],
    [50, '1,299.50'],
    [100, '0.1'],
    [21, 'costs 20 EUR'],
    [1, '10'],
    [1_300_000, '1.2 million'],
    [0, 'Total: 1,500 EUR'],
    [0.0015, '1,500'],
    [7, '--'],
  ])('%d is not said by %s', (value, quote) => {
    expect(supportOf(value, quote)).toBe('none');
  });
});

it.each<[Json, string, string]>([
  ['Ann Lee', 'signed:  ann  lee', 'exact'],
  ['“Yes”', '"yes"', 'exact'],
  ['2026-03-01', '1 March 2026', 'implied'],
  [true, 'paid in full', 'implied'],
  ['o', 'The total', 'none'],
  ['15', '1500', 'none'],
  ['Evil Corp owes 10M', 'The total is due', 'none'],
  ['Ms Ann Lee', 'Ann Lee', 'implied'],
  ['北京', '在北京市', 'exact'],
])('%j of %s is %s', (value, quote, support) => {
  expect(supportOf(value, quote)).toBe(support);
});

describe('words', () => {
  const section = (page: number, text: string) => ({ heading: '', page, text });

  it('are found across lines, pages and divided words, at the place where they begin', () => {
    const reading = readingOf([section(1, 'The con-\ntract of\nAnn ends in Sep-'), section(2, 'tember 2026. Thank you.')], [1, 2]);
    expect(reading.placeOf('contract  of Ann')).toBe('page 1');
    expect(reading.placeOf('ends in September 2026')).toBe('page 1');
    expect(reading.placeOf('Thank you')).toBe('page 2');
    expect(reading.placeOf('thank you')).toBeNull();
    expect(reading.placeOf('  ')).toBeNull();
    const chinese = readingOf([section(1, '三十日内\n支付货款'), section(2, 'a well-\nknown man')], [1, 2]);
    expect(chinese.placeOf('三十日内支付货款')).toBe('page 1');
    expect(chinese.placeOf('well-known man')).toBe('page 2');
  });

  it('of sections that were not read are not found', () => {
    const sections = [section(1, 'one'), section(2, 'two')];
    expect(readingOf(sections, [1]).placeOf('two')).toBeNull();
  });
});

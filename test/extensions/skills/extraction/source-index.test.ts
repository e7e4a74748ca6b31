/** Finds a model's quotes in its source text. */
import { describe, expect, it } from 'vitest';
import { createSourceIndex } from '../../../../src/extensions/skills/extraction/source-index.ts';
import { cpuMilliseconds } from '../../../cpu-time.ts';

const part = (page: number, text: string) => ({ section: { heading: '', page, text }, text, line: 1 });
const find = (text: string, quote: string) => createSourceIndex([part(1, text)]).find(quote)?.words;

describe('a quote', () => {
  it('is found across lines, pages and hyphenated words, at its start', () => {
    const reading = createSourceIndex([part(1, 'The con-\ntract of\nAnn ends in Sep-'), part(2, 'tember 2026. Thank you.')]);
    expect(reading.find('contract  of Ann')?.source).toBe('page 1');
    expect(reading.find('ends in September 2026')?.source).toBe('page 1');
    expect(reading.find('Thank you')?.source).toBe('page 2');
    expect(reading.find('no thanks')).toBeNull();
    expect(reading.find('  ')).toBeNull();
    const chinese = createSourceIndex([part(1, '三十日内\n支付货款'), part(2, 'a well-\nknown man')]);
    expect(chinese.find('三十日内支付货款')?.source).toBe('page 1');
    expect(chinese.find('well-known man')?.source).toBe('page 2');
  });

  it.each([
    ['the case', 'INVOICE NUMBER 4711', 'Invoice Number 4711', 'INVOICE NUMBER 4711'],
    ['emphasis', 'The **total** is _5.50_ EUR', 'The total is 5.50 EUR', 'The **total** is _5.50_ EUR'],
    ['cells', 'Tea | 2 | 3.00', 'Tea 2 3.00', 'Tea | 2 | 3.00'],
    ['a table in Markdown', '| Item | Price |\n|---|--:|\n| Tea | 3.00 |', 'Price: Tea 3.00', 'Price | |---|--:| | Tea | 3.00'],
    ['a list', '- Tea\n- Coffee', 'Tea, Coffee', 'Tea - Coffee'],
    ['quotation marks around it', 'Total: 5.50', '"Total: 5.50"', 'Total: 5.50'],
    ['other quotation marks', 'the ‹Buyer›', "the 'Buyer'", 'the ‹Buyer›'],
    ['its end', 'Total 5.50, due soon', 'Total 5.50.', 'Total 5.50'],
    ['signs that nobody sees', 'Total:\u200b 5.50\u200f EUR', 'Total: 5.50 EUR', 'Total:\u200b 5.50\u200f EUR'],
    ['a divided word', 'the Haupt\u00adver\u00adwaltung', 'Hauptverwaltung', 'Haupt\u00adver\u00adwaltung'],
    ['a ligature', 'the o\ufb03ce', 'the office', 'the o\ufb03ce'],
    ['letters in two parts', 'Cafe\u0301', 'Caf\u00e9', 'Cafe\u0301'],
    ['what is left out', 'Invoice 4711 of the third of May to Ann', 'Invoice 4711 ... to Ann', 'Invoice 4711 … to Ann'],
    ['what is left out at the end', 'The total of 5.50 is due.', 'The total of 5.50 […]', 'The total of 5.50'],
    ['signs alone', 'Married: ☒', '☒', '☒'],
  ])('is found despite differences in %s, and returned as in the source', (_what, text, quote, words) => {
    expect(find(text, quote)).toBe(words);
  });

  it.each([
    ['a number', 'Total: 1500 EUR', 'Total: 150', 'Total: 1500'],
    ['a number with marks', 'Total: 1,299.50 EUR', '299', '1,299.50'],
    ['a word', 'Signed by Anna', 'Signed by Ann', 'Signed by Anna'],
    ['neither, where there is a whole one too', '15 of 5', '5', '5'],
    ['no word, where words have no ends', '在北京市', '北京', '北京'],
  ])('is never found within %s', (_what, text, quote, words) => {
    expect(find(text, quote)).toBe(words);
  });

  it.each([
    ['another sign', '☐ single ☒ married', '☒ single'],
    ['another order', 'Ann, then Bob', 'Bob … Ann'],
    ['too much left out', `Total ${'x '.repeat(600)} 5`, 'Total … 5'],
    ['another sign of a number', 'Total -5.00', 'Total 5.00'],
  ])('with %s is not found', (_what, text, quote) => {
    expect(find(text, quote)).toBeUndefined();
  });

  it('of a text without headings has line numbers', () => {
    const section = { heading: '', page: null, text: 'one\ntwo\n\nfour five\nsix' };
    const reading = createSourceIndex([{ section, text: section.text.slice(4), line: 2 }]);
    expect(['two', 'five', 'six'].map((quote) => reading.find(quote)?.source)).toEqual(['line 2', 'line 4', 'line 5']);
    expect(createSourceIndex([{ section, text: section.text, line: 1 }]).find('one')?.source).toBe('beginning');
  });

  it('that occurs in several places is located near the others of its record', () => {
    const reading = createSourceIndex([part(1, 'Tea 3.00'), part(2, 'Coffee: 3.00')]);
    const { at = 0, isOnly } = reading.find('Coffee') ?? {};
    expect(isOnly).toBe(true);
    expect(reading.find('3.00')).toMatchObject({ source: 'page 1', isOnly: false });
    expect(reading.find('3.00', at)).toMatchObject({ source: 'page 2' });
  });

  it('that occurs in very many places is located at the line of the others', () => {
    const lines = Array.from({ length: 1_000 }, (_, index) => `Item ${index}; 5; 5`);
    const section = { heading: '', page: null, text: lines.join('\n') };
    const reading = createSourceIndex([{ section, text: section.text, line: 1 }]);
    for (const number of [0, 1, 500, 999]) {
      const { at } = reading.find(`Item ${number};`) ?? {};
      expect(reading.find('5', at)?.source).toBe(number === 0 ? 'beginning' : `line ${number + 1}`);
    }
  });

  it('of a long text is found without delay', () => {
    const text = 'a -a '.repeat(100_000);
    const start = cpuMilliseconds();
    const reading = createSourceIndex([part(1, text)]);
    for (let count = 0; count < 100; count++) reading.find(`a … b${count}`);
    expect(cpuMilliseconds() - start).toBeLessThan(5_000);
  });
});

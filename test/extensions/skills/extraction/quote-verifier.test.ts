/** Checks that a quote of a document supports a value. */
import { describe, expect, it } from 'vitest';
import { supportOf, type TextKind } from '../../../../src/extensions/skills/extraction/quote-verifier.ts';
import type { Json } from '../../../../src/types/json.ts';
import { cpuMilliseconds } from '../../../cpu-time.ts';

describe('a number', () => {
  it.each<[number, string]>([
    [1299.5, 'costs 1,299.50 EUR'],
    [1299.5, 'kostet 1.299,50 EUR'],
    [1299.5, "CHF 1'299.50"],
    [1299.5, '1 299,50 €'],
    [1299, '1,299 pieces'],
    [1.299, '1,299 litres'],
    [-20, 'a loss: -20'],
    [-250, 'Balance (250.00)'],
    [2.5, '2½ cups'],
    [1299.5, 'Revenue 1,299.50¹'],
    [5, 'Tea 5 120 600'],
    [120, 'Tea 5 120 600'],
    [600, 'Tea 5 120 600'],
    [5_120_600, '5 120 600'],
    [1_234_567.5, '₹12,34,567.50'],
    [20, '10-20'],
    [0, '0 EUR'],
    [2026, 'on 12.03.2026'],
    [2026, '2026-03-12'],
    [12, '12/2026'],
    [0.5, '0.5'],
    [0.5, '½ cup'],
    [2.5, '2 1/2 hours'],
    [1e-7, '0.0000001'],
    [1250.5, 'المبلغ ١٬٢٥٠٫٥٠ ريال'],
    [1250, 'مبلغ ۱۲۵۰ ریال'],
    [2500, 'कुल २,५०० रुपये'],
  ])('%d is in %s', (value, quote) => {
    expect(supportOf(value, quote)).toBe('exact');
  });

  it.each<[number, string]>([
    [1_200_000, '1.2 million'],
    [12_000, '12k'],
    [0.05, '5 %'],
    [50_000, '5万元'],
    [3, 'three apples'],
    [0, 'no discount'],
    [30, 'innerhalb von dreißig Tagen'],
    [-20, 'a loss of 20'],
    [5, 'Discount -5.00'],
    [120_000_000, '1億2000万円'],
    [35_000, '3万5千元'],
    [2, 'two nights at 120 EUR'],
    [120_000, 'one hundred and twenty thousand dollars'],
    [25, 'Twenty-five days'],
    [12, 'a dozen'],
    [12_300.5, '人民币壹万贰仟叁佰元伍角整'],
    [120_000_000, '一亿二千万'],
    [2026, '二〇二六年'],
    [2, '合同一式两份'],
    [23, 'dreiundzwanzig Tage'],
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
    [550, 'Total: 5.50 EUR'],
    [10.5, '2½ cups'],
    [12_991, 'Revenue 1,299¹'],
    [987_654, 'The total is to be agreed.'],
    [12, '1.2 million'],
    [299.5, '1\u202f299,50 €'],
    [500, 'three apples'],
    [40, 'one hundred and forty'],
    [987_654, '合同一式两份'],
    [987_654, 'The total is due.'],
  ])('%d is not in %s', (value, quote) => {
    expect(supportOf(value, quote)).toBe('none');
  });
});

it.each<[Json, string, string]>([
  ['Ann Lee', 'signed:  ann  lee', 'exact'],
  ['“Yes”', '"yes"', 'exact'],
  [true, 'paid in full', 'implied'],
  ['o', 'The total', 'none'],
  ['15', '1500', 'none'],
  ['Evil Corp owes 10M', 'The total is due', 'none'],
  ['Ms Ann Lee', 'Ann Lee', 'implied'],
  ['北京', '在北京市', 'exact'],
  ['张伟', '经理张三', 'none'],
  ['INV-2026-9999', 'Invoice INV-2026-0001', 'none'],
  ['John Smith', 'John Brown', 'none'],
  ['123456', 'Order 91234567', 'none'],
  ['Sep-tember', 'in September', 'exact'],
  ['서울', '서울에서 열린', 'exact'],
  ['EUR', 'Total: 5.50 €', 'equal'],
  ['USD', '$5.50', 'equal'],
  ['€', '5.50 EUR', 'equal'],
  ['CNY', '合计 5 元', 'equal'],
  ['EUR', 'Total: $5.50', 'none'],
  ['EUR', 'Europe', 'none'],
  ['1299.50', 'Total: 1,299.50', 'equal'],
  ['-5', 'Total: 5.00', 'implied'],
  ['007', 'Total: 7', 'implied'],
  ['1299.50', 'Total: 129,950', 'none'],
  ['+49 30 123456', 'Tel. +49 (0)30 / 123-456', 'equal'],
  ['(555) 010-4477', 'Call 555.010.4477 now', 'equal'],
  ['+49 30 123456', 'Tel. +49 30 1234567', 'none'],
  ['+49 30 123456', 'Tel. +49 30 123457', 'none'],
])('%j of %s is %s', (value, quote, support) => {
  expect(supportOf(value, quote)).toBe(support);
});

it.each<[string, string, TextKind, string]>([
  ['2026-03-01', '1 March 2026', 'moment', 'equal'],
  ['2026-03-01', 'Mar 1st, 2026', 'moment', 'equal'],
  ['2026-03-01', 'am 1. März 2026', 'free', 'equal'],
  ['2026-05-03', '3 de mayo de 2026', 'moment', 'equal'],
  ['2026-05-03', '3 мая 2026 г.', 'moment', 'equal'],
  ['2026-05-03', '2026年5月3日', 'moment', 'equal'],
  ['2026-05-03', '03.05.2026', 'moment', 'equal'],
  ['2026-03-13', '二〇二六年三月十三日', 'moment', 'equal'],
  ['2026-05-13', '二〇二六年三月十三日', 'moment', 'none'],
  ['2026-05-03', '٣ مايو ٢٠٢٦', 'moment', 'equal'],
  ['2026-05-03T10:30:00Z', '2026-05-03 10:30', 'moment', 'equal'],
  ['2026-03-01', 'in March 2026', 'moment', 'implied'],
  ['2026-06-30', 'The buyer may pay until 06/2026', 'moment', 'implied'],
  ['2026-06-30', 'The buyer may pay by the second quarter of 2026', 'moment', 'implied'],
  ['2026-06-03', '03/06/26', 'moment', 'implied'],
  ['2026-05-03', 'Mar 3, 2026', 'moment', 'none'],
  ['2026-05-03', '2026-03-04', 'moment', 'none'],
  ['2026-05-03', '3.4.2026', 'moment', 'none'],
  ['2026-03-01', 'yesterday', 'moment', 'implied'],
  ['1999-12-31', 'Paid on 3 May 2026', 'moment', 'none'],
  ['2026-12-31', 'Paid on 3 May 2026', 'moment', 'none'],
  ['bug', 'It crashes', 'choice', 'implied'],
])('%s of %s, a %s, is %s', (value, quote, kind, support) => {
  expect(supportOf(value, quote, kind)).toBe(support);
});

it.each(['111 ', '1 ', '1', '1.', '1,000 ', '1千', '1/2 '])('a table of thousands of %j is searched without delay', (cell) => {
  const startedAt = cpuMilliseconds();
  supportOf(5_000_001, cell.repeat(20_000));
  expect(cpuMilliseconds() - startedAt).toBeLessThan(2_000);
});

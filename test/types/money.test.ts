/** Amounts as decimals and as exact integers. */
import { describe, expect, it } from 'vitest';
import {
  amountField,
  amountNumber,
  amountText,
  currencyField,
  joinAmount,
  microCeiling,
  parseAmount,
  splitAmount,
} from '../../src/types/money.ts';

const faultOf = (result: { error?: { issues: { message: string }[] } | undefined }): string => result.error?.issues[0]?.message ?? '';

describe('an amount', () => {
  it.each<[string | number, string]>([
    ['2.00', '2'],
    ['0.5', '0.5'],
    [0.5, '0.5'],
    [2, '2'],
    [1e-7, '0.0000001'],
    [1.5e-10, '0.00000000015'],
    [1e11, '100000000000'],
    ['0.000000000000001', '0.000000000000001'],
    // The excess digits of a sum of doubles.
    [0.1 + 0.2, '0.3'],
    ['0', '0'],
  ])('of %s is exactly %s', (written, exact) => {
    expect(amountText(parseAmount(written) ?? -1n)).toBe(exact);
  });

  it.each(['', '-1', '1,5', '1e3', ' 2', '0x10', '.5', '1.', 'NaN', Number.NaN, -1, Infinity])('is refused for %s', (written) => {
    expect(parseAmount(written)).toBeNull();
  });

  it('is unchanged after it was stored as two numbers in the ledger', () => {
    for (const text of ['0.000000000000001', '123456789.123456789012345', '0.05']) {
      const { micro, femto } = splitAmount(parseAmount(text) ?? 0n);
      expect(amountText(joinAmount(micro, femto))).toBe(text);
    }
  });

  it('is rounded once, for display, and up for a reservation', () => {
    expect(amountNumber(parseAmount('5.415') ?? 0n)).toBe(5.415);
    expect(microCeiling(parseAmount('0.0000000001') ?? 0n)).toBe(1);
  });
});

describe('a field of money', () => {
  const field = amountField('per million tokens', 9);

  it('accepts a text or a number, and names its unit in errors and descriptions', () => {
    expect([field.safeParse('2.00').success, field.safeParse(0.5).success, field.safeParse(0).success]).toEqual([true, true, true]);
    for (const wrong of ['2,00', '-1', -1, null, '0.0000000001', 'free', 1e-10])
      expect(faultOf(field.safeParse(wrong)), String(wrong)).toContain(
        'an amount of the currency per million tokens, as a decimal such as "2.00"',
      );
    expect(field.description).toContain('per million tokens');
  });

  it('accepts only codes of ISO 4217, and suggests the right one', () => {
    for (const code of ['USD', 'CNY', 'EUR', 'JPY', 'XAF']) expect(currencyField.safeParse(code).success).toBe(true);
    expect(faultOf(currencyField.safeParse('RMB'))).toBe('"RMB" is not a currency code of ISO 4217: write CNY');
    expect(faultOf(currencyField.safeParse('usd'))).toContain('write USD');
    expect(faultOf(currencyField.safeParse('DEM'))).toContain('write one such as USD, EUR or CNY');
  });
});

/** Exact amounts of money: decimals outside, integer femto-units (10^-15 of the currency) inside. */
import { z } from 'zod';

/** Femto-units of one currency. */
export type Femto = bigint;

const places = 15;
const one: Femto = 10n ** BigInt(places);
/** A micro-unit, 10^-6 of the currency: the unit of counters and of the ledger's first column. */
const micro: Femto = 10n ** BigInt(places - 6);

/** A number as its shortest decimal, without an exponent. */
function plainText(value: number): string {
  const text = String(value);
  const [, sign = '', whole = '', fraction = '', exponent = ''] = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text) ?? [];
  if (exponent === '') return text;
  const shift = Number(exponent);
  const digits = whole + fraction;
  const point = whole.length + shift;
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return sign + (point >= digits.length ? digits.padEnd(point, '0') : `${digits.slice(0, point)}.${digits.slice(point)}`);
}

/** Removes the rounding error of sums of doubles, such as 0.30000000000000004. */
function shortText(value: number): string {
  const text = plainText(value);
  return text.length - text.indexOf('.') - 1 > places && text.includes('.') ? value.toFixed(places) : text;
}

const decimalText = /^(\d{1,12})(?:\.(\d{1,15}))?$/;

/** The exact amount of a decimal such as `"2.00"` or `0.5` (numbers to 15 places). Null for anything else and for negative values. */
export function parseAmount(decimal: string | number): Femto | null {
  const found = decimalText.exec(typeof decimal === 'number' ? shortText(decimal) : decimal);
  if (found === null) return null;
  const [, whole = '', fraction = ''] = found;
  return BigInt(whole) * one + BigInt(fraction.padEnd(places, '0'));
}

/** `part` divided by `whole`, rounded half up to a femto-unit. Neither is negative. */
export function divided(part: bigint, whole: bigint): bigint {
  return (2n * part + whole) / (2n * whole);
}

/** The exact decimal without trailing zeros. */
export function amountText(amount: Femto): string {
  const sign = amount < 0n ? '-' : '';
  const size = amount < 0n ? -amount : amount;
  const fraction = (size % one).toString().padStart(places, '0').replace(/0+$/, '');
  return `${sign}${size / one}${fraction === '' ? '' : `.${fraction}`}`;
}

/** The nearest number, for display. The only place where an amount is rounded. */
export function amountNumber(amount: Femto): number {
  return Number(amountText(amount));
}

/** An amount as two integers that JSON and databases hold: micro-units, and the remaining femto-units (fewer than 10^9). */
export interface SplitAmount {
  readonly micro: number;
  readonly femto: number;
}

export function splitAmount(amount: Femto): SplitAmount {
  return { micro: Number(amount / micro), femto: Number(amount % micro) };
}

/** Sums of both parts may exceed the exact range of a number. */
export function joinAmount(microUnits: bigint | number, femtoUnits: bigint | number): Femto {
  return BigInt(microUnits) * micro + BigInt(femtoUnits);
}

/** In micro-units, with a fraction. */
export function microNumber(amount: Femto): number {
  const { micro: whole, femto } = splitAmount(amount);
  return whole + femto / Number(micro);
}

/** Rounded up to whole micro-units. */
export function microCeiling(amount: Femto): number {
  return Number((amount + micro - 1n) / micro);
}

/** Active codes of ISO 4217, funds and precious metals left out. https://www.six-group.com/en/products-services/financial-information/data-standards.html */
const currencies: ReadonlySet<string> = new Set(
  (
    'AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK ' +
    'DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS ' +
    'KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD ' +
    'OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP ' +
    'TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG'
  ).split(' '),
);

/** Common other spellings of a code. */
const written: Readonly<Record<string, string>> = {
  RMB: 'CNY',
  CNH: 'CNY',
  NTD: 'TWD',
  STG: 'GBP',
  UKP: 'GBP',
  YEN: 'JPY',
  NIS: 'ILS',
  BGN: 'EUR',
  HRK: 'EUR',
};

export function isCurrency(code: string): boolean {
  return currencies.has(code);
}

export const currencyField = z
  .string()
  .superRefine((code, context) => {
    if (isCurrency(code)) return;
    const correctCode = written[code.toUpperCase()] ?? (isCurrency(code.toUpperCase()) ? code.toUpperCase() : null);
    const remedy = correctCode === null ? 'write one such as USD, EUR or CNY' : `write ${correctCode}`;
    context.addIssue({ code: 'custom', message: `"${code.slice(0, 20)}" is not a currency code of ISO 4217: ${remedy}` });
  })
  .describe('A currency code of ISO 4217, such as USD, EUR or CNY.');

/** A decimal of at most `digits` places, as text or number. `unit` completes "amount of the currency", e.g. `per million tokens`. */
export function amountField(unit: string, digits: number) {
  const message = `must be an amount of the currency ${unit}, as a decimal such as "2.00" or 0.5, not below 0 and with at most ${digits} places`;
  const pattern = new RegExp(`^\\d{1,12}(\\.\\d{1,${digits}})?$`);
  return z
    .union([z.string().regex(pattern, message), z.number().min(0, message).max(999_999_999_999, message)], { error: message })
    .refine((value) => typeof value === 'string' || Math.abs(Number(value.toFixed(digits)) - value) <= value * 1e-9, message)
    .describe(`An amount of the currency ${unit}, as a decimal: "2.00" or 0.5.`);
}

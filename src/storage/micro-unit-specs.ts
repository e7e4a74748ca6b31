/** Converts money in rows of older versions from whole micro-units to decimals. */
import { amountText, joinAmount } from '../types/money.ts';

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The current version writes decimals as texts; a number is of an older version. */
function decimals(fields: unknown, names: readonly string[]): unknown {
  if (!isFields(fields)) return fields;
  const changed = names.flatMap((name) => {
    const value = fields[name];
    return Number.isSafeInteger(value) ? [[name, amountText(joinAmount(value as number, 0))]] : [];
  });
  return { ...fields, ...Object.fromEntries(changed) };
}

/** The same amounts as decimals: a price of 2,000,000 micro-units per million tokens is "2". Other rows are unchanged. */
export function withDecimalAmounts(kind: string, spec: Fields): Fields {
  const { deployments, spend } = spec;
  if (kind === 'limit' && spend !== undefined) return { ...spec, spend: decimals(spend, ['per_day', 'per_month']) };
  if (kind !== 'model' || !Array.isArray(deployments)) return spec;
  const priced = deployments.map((each: unknown) =>
    isFields(each) && each['price'] !== undefined ? { ...each, price: decimals(each['price'], ['input', 'cached_input', 'output']) } : each,
  );
  return { ...spec, deployments: priced };
}

/** Ties a stored secret to the addresses that it was given for. */
import type { ZodType } from 'zod';
import type { SecretBox } from '../storage/secret-box.ts';
import { GatewayError } from '../types/errors.ts';
import { parseOptions } from './instances.ts';
import { addressesOf, type OptionAddress } from './option-addresses.ts';

/** The first address that changed; null for none. */
function changed(now: readonly OptionAddress[], before: readonly OptionAddress[]): OptionAddress | null {
  const keyOf = ({ path, identity }: OptionAddress): string => `${path} ${identity}`;
  const known = new Set(before.map(keyOf));
  const wanted = new Set(now.map(keyOf));
  return now.find((each) => !known.has(keyOf(each))) ?? before.find((each) => !wanted.has(keyOf(each))) ?? null;
}

/** Empty for a row that cannot be read any more: its new values are all new. */
function addressesBefore(stored: unknown, schema: ZodType, secrets: SecretBox, context: string): readonly OptionAddress[] {
  try {
    return addressesOf(parseOptions(schema, stored, secrets, context), schema);
  } catch {
    return [];
  }
}

/** Throws `configuration_invalid` when `***` would carry a stored secret to another origin or beside a changed marked field. Both options have their defaults. */
export function requireSameAddresses(
  options: unknown,
  stored: unknown,
  {
    schema,
    secrets,
    context,
    place = 'spec.options',
  }: { readonly schema: ZodType; readonly secrets: SecretBox; readonly context: string; readonly place?: string },
): void {
  const address = changed(addressesOf(options, schema), addressesBefore(stored, schema, secrets, context));
  if (address === null) return;
  const param = `${place}.${address.path}`;
  throw new GatewayError(
    'configuration_invalid',
    `${param}: a stored secret does not follow a changed address. Write every secret of the row again instead of "***", or leave the address as it was.`,
    { param },
  );
}

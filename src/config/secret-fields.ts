/** The secret fields of a plugin's options: find, restore, seal and open them. */
import type { ZodType } from 'zod';
import { isSealed, mask, type SecretBox } from '../storage/secret-box.ts';
import { GatewayError } from '../types/errors.ts';
import { markedPaths, type OptionPath } from './marked-paths.ts';

/** The paths of fields marked with `secret()`. */
export const secretPaths = (options: ZodType): readonly OptionPath[] => markedPaths(options, 'secret');

/** A copy of `value` with `change` applied at `path`. */
function at(value: unknown, path: OptionPath, change: (found: unknown, where: OptionPath) => unknown, where: OptionPath = []): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value === undefined || value === null ? value : change(value, where);
  if (Array.isArray(value)) return key === '*' ? value.map((inner, index) => at(inner, rest, change, [...where, String(index)])) : value;
  if (typeof value !== 'object' || value === null || isSealed(value)) return value;
  const entries = Object.entries(value).map(
    ([name, inner]) => [name, key === '*' || key === name ? at(inner, rest, change, [...where, name]) : inner] as const,
  );
  return Object.fromEntries(entries);
}

function fieldAt(value: unknown, path: OptionPath): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, key) ? (inner as Record<string, unknown>)[key] : undefined,
    value,
  );
}

/** True when a secret is to stay as stored. */
export function hasMasked(given: unknown, schema: ZodType): boolean {
  const found: unknown[] = [];
  const note = (value: unknown): unknown => {
    found.push(value);
    return value;
  };
  for (const path of secretPaths(schema)) at(given, path, note);
  return found.includes(mask);
}

/** Replaces `***` by the stored value. Throws `configuration_invalid` when nothing is stored. `place` is the path of the options. */
export function restoreMasked(given: unknown, stored: unknown, schema: ZodType, place = 'spec.options'): unknown {
  return secretPaths(schema).reduce<unknown>(
    (options, path) =>
      at(options, path, (found, where) => {
        if (found !== mask) return found;
        const kept = fieldAt(stored, where);
        if (kept !== undefined) return kept;
        const param = `${place}.${where.join('.')}`;
        throw new GatewayError(
          'configuration_invalid',
          `${param}: "***" keeps a stored secret, but none is stored here; write the secret itself.`,
          { param },
        );
      }),
    given,
  );
}

export function sealOptions(options: unknown, schema: ZodType, box: SecretBox, context: string): unknown {
  return secretPaths(schema).reduce<unknown>(
    (value, path) => at(value, path, (found) => (typeof found === 'string' ? box.seal(found, context) : found)),
    options,
  );
}

export function openOptions(options: unknown, schema: ZodType, box: SecretBox, context: string): unknown {
  return secretPaths(schema).reduce<unknown>(
    (value, path) => at(value, path, (found) => (isSealed(found) ? box.open(found, context) : found)),
    options,
  );
}

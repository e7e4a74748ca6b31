/** Which fields of a plugin's options are secret, and the ways in and out of the safe. */
import { z, type ZodType } from 'zod';
import { isSealed, mask, type SecretBox } from '../storage/secret-box.ts';
import { GatewayError } from '../types/errors.ts';
import { isJsonObject } from '../types/json.ts';

type JsonSchema = { readonly [key: string]: unknown };

/** A path into the options; `*` stands for every key or index. */
type Path = readonly string[];

const cache = new WeakMap<ZodType, readonly Path[]>();

/** The paths of fields marked with `secret()`, from the schema's JSON Schema. */
export function secretPaths(options: ZodType): readonly Path[] {
  let paths = cache.get(options);
  if (paths === undefined) {
    const found: Path[] = [];
    collect(z.toJSONSchema(options, { io: 'input', unrepresentable: 'any' }) as JsonSchema, [], found);
    cache.set(options, (paths = found));
  }
  return paths;
}

function collect(schema: JsonSchema, path: Path, found: Path[]): void {
  if (schema['secret'] === true) found.push(path);
  for (const [key, inner] of Object.entries((schema['properties'] as Record<string, JsonSchema> | undefined) ?? {}))
    collect(inner, [...path, key], found);
  for (const key of ['additionalProperties', 'items'] as const) {
    const inner = schema[key];
    if (isJsonObject(inner)) collect(inner, [...path, '*'], found);
  }
  for (const key of ['anyOf', 'oneOf', 'allOf'] as const) {
    for (const inner of (schema[key] as JsonSchema[] | undefined) ?? []) collect(inner, path, found);
  }
}

/** A copy of `value` with `change` applied to whatever stands at `path`. */
function at(value: unknown, path: Path, change: (found: unknown, where: Path) => unknown, where: Path = []): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value === undefined || value === null ? value : change(value, where);
  if (Array.isArray(value)) return key === '*' ? value.map((inner, index) => at(inner, rest, change, [...where, String(index)])) : value;
  if (typeof value !== 'object' || value === null || isSealed(value)) return value;
  const entries = Object.entries(value).map(
    ([name, inner]) => [name, key === '*' || key === name ? at(inner, rest, change, [...where, name]) : inner] as const,
  );
  return Object.fromEntries(entries);
}

function claimAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, key) ? (inner as Record<string, unknown>)[key] : undefined,
    value,
  );
}

/** `***` becomes the value stored before. Throws `configuration_invalid` where nothing is stored. */
export function restoreMasked(given: unknown, stored: unknown, schema: ZodType): unknown {
  return secretPaths(schema).reduce<unknown>(
    (options, path) =>
      at(options, path, (found, where) => {
        if (found !== mask) return found;
        const kept = claimAt(stored, where);
        if (kept !== undefined) return kept;
        const param = `spec.options.${where.join('.')}`;
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

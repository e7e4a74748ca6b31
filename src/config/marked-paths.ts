/** Finds marked fields in a plugin's options, such as secrets and addresses. */
import { z, type ZodType } from 'zod';
import { isJsonObject } from '../types/json.ts';

type JsonSchema = { readonly [key: string]: unknown };

/** A path into the options; `*` matches every key or index. */
export type OptionPath = readonly string[];

export type Mark = 'secret' | 'address';

const cache = new WeakMap<ZodType, Map<Mark, readonly OptionPath[]>>();

/** The paths of fields whose schema carries `mark: true`. */
export function markedPaths(options: ZodType, mark: Mark): readonly OptionPath[] {
  let marks = cache.get(options);
  if (marks === undefined) cache.set(options, (marks = new Map()));
  let paths = marks.get(mark);
  if (paths === undefined) {
    const found: OptionPath[] = [];
    collect(z.toJSONSchema(options, { io: 'input', unrepresentable: 'any' }) as JsonSchema, mark, [], found);
    marks.set(mark, (paths = found));
  }
  return paths;
}

function collect(schema: JsonSchema, mark: Mark, path: OptionPath, found: OptionPath[]): void {
  if (schema[mark] === true) found.push(path);
  for (const [key, inner] of Object.entries((schema['properties'] as Record<string, JsonSchema> | undefined) ?? {}))
    collect(inner, mark, [...path, key], found);
  for (const key of ['additionalProperties', 'items'] as const) {
    const inner = schema[key];
    if (isJsonObject(inner)) collect(inner, mark, [...path, '*'], found);
  }
  for (const key of ['anyOf', 'oneOf', 'allOf'] as const) {
    for (const inner of (schema[key] as JsonSchema[] | undefined) ?? []) collect(inner, mark, path, found);
  }
}

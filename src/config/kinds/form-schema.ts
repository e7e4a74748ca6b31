/** Turns the schema of options or of a row into JSON Schema for forms: titles, help in English and Chinese, order, secret fields, defaults. */
import { z, type ZodType } from 'zod';
import { isJsonObject, type JsonObject } from '../../types/json.ts';
import { advancedFields, fieldTitles, longTexts } from './field-titles.ts';

type Schema = Record<string, unknown>;

/** The rows or plugins that a field names, by path from the root; `[]` is any item. */
export type References = Readonly<Record<string, string>>;

export interface FormTexts {
  /** Chinese help by the English text. */
  readonly help: Readonly<Record<string, string>>;
  readonly references?: References;
}

/** `first_token_ms` -> `First token ms`, for fields of plugins that give no title. */
function titleOf(field: string): string {
  const words = field.replaceAll(/[_-]+/g, ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** True for the definition of any JSON value, which refers to itself. */
const isAnyJson = (schema: unknown): boolean => isJsonObject(schema) && Array.isArray(schema['anyOf']) && schema['anyOf'].length === 6;

/** Replaces references to a definition of any JSON value by an empty schema, and drops unused definitions. */
function withoutJsonDefinitions(schema: Schema): Schema {
  const { $defs, ...rest } = schema as { $defs?: Record<string, Schema> };
  if ($defs === undefined) return schema;
  const open = new Set(Object.keys($defs).filter((name) => isAnyJson($defs[name])));
  const used = new Set<string>();
  const visit = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(visit);
    if (typeof value !== 'object' || value === null) return value;
    const { $ref, ...others } = value as Schema;
    const name = typeof $ref === 'string' ? $ref.replace('#/$defs/', '') : undefined;
    if (name !== undefined && open.has(name)) return visit(others);
    if (name !== undefined) used.add(name);
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, visit(inner)]));
  };
  const body = visit(rest) as Schema;
  const kept: Schema = {};
  for (const name of used) kept[name] = visit($defs[name]);
  return Object.keys(kept).length === 0 ? body : { ...body, $defs: kept };
}

function textsOf(field: string, schema: Schema, { help }: FormTexts): Schema {
  const own = isJsonObject(schema['x-zh']) ? (schema['x-zh'] as Schema) : {};
  const known = fieldTitles[field];
  const description = schema['description'];
  const chinese = typeof description === 'string' ? help[description] : undefined;
  const given = typeof schema['title'] === 'string' ? schema['title'] : undefined;
  const zh = {
    title: given === undefined ? (known?.[1] ?? titleOf(field)) : given,
    ...(typeof description === 'string' ? { description: chinese ?? description } : {}),
    ...own,
  };
  return { title: given ?? known?.[0] ?? titleOf(field), 'x-zh': zh };
}

function decorate(schema: Schema, path: string, texts: FormTexts): Schema {
  const changed: Schema = { ...schema };
  if (isJsonObject(schema['properties']))
    changed['properties'] = Object.fromEntries(
      Object.entries(schema['properties'] as Record<string, Schema>).map(([field, inner], index) => {
        const place = path === '' ? field : `${path}.${field}`;
        const reference = texts.references?.[place];
        const marks = {
          'x-order': index + 1,
          ...(advancedFields.has(field) ? { 'x-advanced': true } : {}),
          ...(longTexts.has(field) ? { 'x-multiline': true } : {}),
          ...(reference === undefined ? {} : { 'x-reference': reference }),
        };
        return [field, { ...decorate(inner, place, texts), ...textsOf(field, inner, texts), ...marks }];
      }),
    );
  if (isJsonObject(schema['items'])) {
    const reference = texts.references?.[`${path}[]`];
    const items = decorate(schema['items'], `${path}[]`, texts);
    changed['items'] = reference === undefined ? items : { ...items, 'x-reference': reference };
  }
  if (isJsonObject(schema['additionalProperties']))
    changed['additionalProperties'] = decorate(schema['additionalProperties'], `${path}{}`, texts);
  for (const key of ['anyOf', 'oneOf', 'allOf'] as const)
    if (Array.isArray(schema[key]))
      changed[key] = (schema[key] as Schema[]).map((inner) => withOwnHelp(decorate(inner, path, texts), texts));
  if (isJsonObject(schema['$defs']))
    changed['$defs'] = Object.fromEntries(
      Object.entries(schema['$defs'] as Record<string, Schema>).map(([name, inner]) => [name, decorate(inner, name, texts)]),
    );
  return changed;
}

/** The Chinese help of a variant. */
function withOwnHelp(schema: Schema, { help }: FormTexts): Schema {
  const description = schema['description'];
  if (typeof description !== 'string') return schema;
  return { ...schema, 'x-zh': { description: help[description] ?? description } };
}

/** JSON Schema of what a client may send. */
export function formSchema(schema: ZodType, texts: FormTexts): JsonObject {
  const { $schema: _dialect, ...plain } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return decorate(withoutJsonDefinitions(plain), '', texts) as JsonObject;
}

/** Reads a JSON Schema for a form: which control fits, in which order, and under which title. Knows nothing of React. */
import type { FormSchema } from '../../api/kinds.ts';
import type { Language } from '../../i18n/language.tsx';

export type Control =
  | 'text'
  | 'multiline'
  | 'secret'
  | 'number'
  | 'switch'
  | 'choice'
  | 'reference'
  | 'strings'
  | 'list'
  | 'object'
  | 'file'
  | 'map'
  | 'json';

export const secretKept = '***';
const secretTyped = '••••';

/** The schema without null as an alternative, and whether null was one. */
export function withoutNull(schema: FormSchema): { readonly schema: FormSchema; readonly nullable: boolean } {
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined) {
    const others = alternatives.filter(({ type }) => type !== 'null');
    const [only] = others;
    if (others.length === 1 && only !== undefined) {
      const { anyOf: _any, oneOf: _one, ...outer } = schema;
      return { schema: { ...only, ...outer }, nullable: others.length < alternatives.length };
    }
    // A number that may also be written as a text, such as an amount of money.
    const text = others.find(({ type }) => type === 'string');
    if (text !== undefined && others.every(({ type }) => type === 'string' || type === 'number' || type === 'integer')) {
      const { anyOf: _any, oneOf: _one, ...outer } = schema;
      return { schema: { ...text, ...outer }, nullable: others.length < alternatives.length };
    }
    if (others.every((each) => each.const !== undefined || each.enum !== undefined)) {
      const { anyOf: _any, oneOf: _one, ...outer } = schema;
      const values = others.flatMap((each) => each.enum ?? [each.const]);
      return { schema: { ...outer, enum: values }, nullable: others.length < alternatives.length };
    }
  }
  if (Array.isArray(schema.type)) {
    const types = (schema.type as readonly string[]).filter((each) => each !== 'null');
    if (types.length === 1) return { schema: { ...schema, type: types[0] ?? 'string' }, nullable: types.length < schema.type.length };
  }
  return { schema, nullable: false };
}

/** Unions of several shapes have no control of their own; they are edited as JSON. */
export function controlOf(schema: FormSchema): Control {
  if (schema.writeOnly === true && schema.type === 'string') return 'secret';
  if (schema.enum !== undefined) return 'choice';
  switch (schema.type) {
    case 'string':
      if (schema['x-reference'] !== undefined) return 'reference';
      return schema['x-multiline'] === true ? 'multiline' : 'text';
    case 'number':
    case 'integer':
      return 'number';
    case 'boolean':
      return 'switch';
    case 'array': {
      const items = withoutNull(schema.items ?? {}).schema;
      if (items.enum !== undefined || (items.type === 'string' && items.writeOnly !== true)) return 'strings';
      return items.type === undefined ? 'json' : 'list';
    }
    case 'object':
      if (schema.properties?.['base64'] !== undefined && schema.properties['path'] === undefined) return 'file';
      if (schema.properties !== undefined && Object.keys(schema.properties).length > 0) return 'object';
      return isMap(schema) ? 'map' : 'json';
    default:
      return 'json';
  }
}

function isMap({ additionalProperties }: FormSchema): boolean {
  if (typeof additionalProperties !== 'object') return false;
  const { type } = withoutNull(additionalProperties).schema;
  return type === 'string' || type === 'number' || type === 'integer' || type === 'boolean';
}

export interface Field {
  readonly name: string;
  readonly schema: FormSchema;
  readonly required: boolean;
}

/** The fields of an object, in the order of the schema: first those that most rows need, then the advanced ones. */
export function fieldsOf(schema: FormSchema): { readonly usual: readonly Field[]; readonly advanced: readonly Field[] } {
  const required = new Set(schema.required);
  const fields = Object.entries(schema.properties ?? {})
    .map(([name, field]) => ({ name, schema: field, required: required.has(name) && field.default === undefined }))
    .toSorted((one, other) => (one.schema['x-order'] ?? 1_000) - (other.schema['x-order'] ?? 1_000));
  const isAdvanced = (field: Field): boolean => field.schema['x-advanced'] === true && !field.required;
  return { usual: fields.filter((field) => !isAdvanced(field)), advanced: fields.filter(isAdvanced) };
}

/** `base_url` as `Base url`, for schemas of plugins without titles. */
function fromName(name: string): string {
  const words = name.replaceAll(/[_-]+/g, ' ').trim();
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

export function titleOf(name: string, schema: FormSchema, language: Language): string {
  return (language === 'zh' ? schema['x-zh']?.title : undefined) ?? schema.title ?? fromName(name);
}

export function helpOf(schema: FormSchema, language: Language): string | undefined {
  return (language === 'zh' ? schema['x-zh']?.description : undefined) ?? schema.description;
}

/** What a new item of a list, or a new object, starts with. */
export function emptyValue(schema: FormSchema): unknown {
  const { schema: inner } = withoutNull(schema);
  if (inner.default !== undefined) return inner.default;
  switch (controlOf(inner)) {
    case 'object':
    case 'map':
      return {};
    case 'list':
    case 'strings':
      return [];
    case 'switch':
      return false;
    case 'text':
    case 'multiline':
    case 'secret':
      return '';
    default:
      return undefined;
  }
}

/** Names of required fields without a value, as paths such as `deployments.0.provider`. */
export function missingFields(schema: FormSchema, value: unknown, path = ''): string[] {
  const { schema: inner } = withoutNull(schema);
  if (value === undefined || value === null) return [];
  if (controlOf(inner) === 'object') {
    const given = value as Readonly<Record<string, unknown>>;
    return Object.entries(inner.properties ?? {}).flatMap(([name, field]) => {
      const at = path === '' ? name : `${path}.${name}`;
      const child = given[name];
      const isEmpty = child === undefined || child === '';
      if (isEmpty && inner.required?.includes(name) === true && field.default === undefined) return [at];
      return missingFields(field, child, at);
    });
  }
  if (controlOf(inner) === 'list' && Array.isArray(value))
    return value.flatMap((item, index) => missingFields(inner.items ?? {}, item, `${path}.${index}`));
  return [];
}

/** The value with dots for each secret that was typed into it, for views that show a draft. */
export function withoutSecrets(schema: FormSchema, value: unknown): unknown {
  const { schema: inner } = withoutNull(schema);
  if (inner.writeOnly === true) return typeof value === 'string' && value !== secretKept ? secretTyped : value;
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(inner.items ?? {}, item));
  if (typeof value !== 'object' || value === null) return value;
  const others = typeof inner.additionalProperties === 'object' ? inner.additionalProperties : {};
  const fields = Object.entries(value).map(([name, child]) => [name, withoutSecrets(inner.properties?.[name] ?? others, child)] as const);
  return Object.fromEntries(fields);
}

/** The spec without the options that its schema does not have, as after the choice of another kind. */
export function withOptionsOf(schema: FormSchema, spec: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const known = schema.properties?.['options']?.properties;
  const options = (spec['options'] ?? {}) as Readonly<Record<string, unknown>>;
  if (known === undefined) return spec;
  return { ...spec, options: Object.fromEntries(Object.entries(options).filter(([name]) => name in known)) };
}

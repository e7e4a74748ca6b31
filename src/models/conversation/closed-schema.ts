/**
 * JSON Schemas in the subset that Claude enforces: closed objects, no bounds. Other constraints go into descriptions, which the model
 * reads. See https://platform.claude.com/docs/en/build-with-claude/structured-outputs
 */
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';

const bounds: ReadonlySet<string> = new Set([
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'maxItems',
  'uniqueItems',
  'minProperties',
  'maxProperties',
  'contains',
  'minContains',
  'maxContains',
  'propertyNames',
  'patternProperties',
]);
const formats: ReadonlySet<unknown> = new Set([
  'date-time',
  'time',
  'date',
  'duration',
  'email',
  'hostname',
  'uri',
  'ipv4',
  'ipv6',
  'uuid',
]);

function isBound(key: string, value: Json): boolean {
  if (key === 'minItems') return typeof value === 'number' && value > 1;
  if (key === 'format') return !formats.has(value);
  return bounds.has(key);
}

function isObjectSchema(schema: JsonObject): boolean {
  const { type } = schema;
  return type === 'object' || (Array.isArray(type) && (type as readonly Json[]).includes('object')) || isJsonObject(schema['properties']);
}

/** `onBound` is called for each bound that the vendor does not enforce. */
export function closedSchema(schema: JsonObject, onBound: (keyword: string) => void): JsonObject {
  const each = (value: Json): Json => (isJsonObject(value) ? closedSchema(value, onBound) : value);
  const written: Record<string, Json> = {};
  const constraints: string[] = [];
  for (const [key, value] of Object.entries(schema)) {
    if (value === undefined || key === '$schema') continue;
    if (isBound(key, value)) {
      constraints.push(`${key}: ${JSON.stringify(value)}`);
      onBound(key);
    } else if ((key === 'properties' || key === '$defs' || key === 'definitions') && isJsonObject(value)) {
      written[key] = Object.fromEntries(Object.entries(value).map(([name, member]) => [name, each(member ?? null)]));
    } else if ((key === 'anyOf' || key === 'allOf' || key === 'oneOf') && Array.isArray(value)) {
      written[key === 'oneOf' ? 'anyOf' : key] = (value as readonly Json[]).map(each);
    } else written[key] = key === 'items' ? each(value) : value;
  }
  if (isObjectSchema(schema) && schema['additionalProperties'] === undefined) written['additionalProperties'] = false;
  if (constraints.length > 0) {
    const description = typeof schema['description'] === 'string' ? `${schema['description']} ` : '';
    written['description'] = `${description}(${constraints.join(', ')})`;
  }
  return written;
}

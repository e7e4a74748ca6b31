/** Converts the answer format of the Responses format to chat completions. */
import { isJsonObject, type Json } from '../../../types/json.ts';
import { pickFields } from '../../pick-fields.ts';
import { invalid } from './request-errors.ts';

/** `response_format` for `text.format`; undefined for plain text. */
export function readTextFormat(text: Json | undefined): Json | undefined {
  const format = isJsonObject(text) ? text['format'] : undefined;
  if (format === undefined || format === null) return undefined;
  const type = isJsonObject(format) ? format['type'] : undefined;
  if (!isJsonObject(format) || (type !== 'text' && type !== 'json_object' && type !== 'json_schema'))
    throw invalid('text.format.type', 'must be text, json_object or json_schema.');
  if (type === 'text') return undefined;
  if (type === 'json_object') return { type };
  if (!isJsonObject(format['schema'])) throw invalid('text.format.schema', 'must be a JSON Schema.');
  return { type, json_schema: { name: 'answer', ...pickFields(format, ['name', 'description', 'schema', 'strict']) } };
}

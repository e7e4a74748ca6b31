/** Enforces the JSON Schema of `response_format` for vendors that do not: the prompt contains it, and Pailou validates the answer. */
import { LRUCache } from 'lru-cache';
import { extractJson } from '../schema/json-extractor.ts';
import { compileSchema, type SchemaCheck } from '../schema/json-schema.ts';
import type { ChatBody, ChatRequest } from '../types/chat.ts';
import { GatewayError } from '../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../types/json.ts';
import type { StructuredOutput } from '../types/structured-output.ts';
import type { Deployment } from '../types/snapshot.ts';

/** Compiled schemas by their text: agents send the same schema with each call. */
const compiled = new LRUCache<string, SchemaCheck>({ maxSize: 2_000_000, sizeCalculation: (_check, text) => text.length + 1 });

/** Any caller may send a schema with each call, so it gets less time than the schema of a row. */
const times = { compileMs: 1_000, checkMs: 250 };

function anyObject(format: JsonObject): JsonObject | null {
  return format['type'] === 'json_object' ? { type: 'object' } : null;
}

/** The schema that Pailou must enforce for this deployment. Null when the vendor enforces it, or none is requested. */
export function schemaToCheck({ structuredOutput }: Deployment, body: ChatBody): JsonObject | null {
  if (structuredOutput === undefined || structuredOutput === 'json_schema') return null;
  const format = body['response_format'];
  if (!isJsonObject(format)) return null;
  // A vendor without a JSON mode would refuse that format too.
  if (format['type'] !== 'json_schema') return structuredOutput === 'none' ? anyObject(format) : null;
  const described = format['json_schema'];
  const schema = isJsonObject(described) ? described['schema'] : undefined;
  return isJsonObject(schema) ? schema : {};
}

/** Throws `invalid_request` for an invalid schema. */
export function checkFor(schema: JsonObject): SchemaCheck {
  const text = JSON.stringify(schema);
  const known = compiled.get(text);
  if (known !== undefined) return known;
  const param = 'response_format.json_schema.schema';
  try {
    const check = compileSchema(schema, times);
    compiled.set(text, check);
    return check;
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : 'it cannot be compiled';
    throw new GatewayError('invalid_request', `${param}: ${why}.`, { param, cause: thrown });
  }
}

/** The messages with `text` appended to the system message, which is created when missing. */
function withInstruction(messages: readonly JsonObject[], text: string): readonly JsonObject[] {
  const [first, ...rest] = messages;
  if (first === undefined || (first['role'] !== 'system' && first['role'] !== 'developer'))
    return [{ role: 'system', content: text }, ...messages];
  const { content } = first;
  const parts = Array.isArray(content)
    ? [...(content as readonly Json[]), { type: 'text', text }]
    : `${typeof content === 'string' ? content : ''}\n\n${text}`;
  return [{ ...first, content: parts }, ...rest];
}

/** The request for a vendor without schema support: the schema becomes text. */
export function withSchemaInPrompt(request: ChatRequest, schema: JsonObject, level: StructuredOutput): ChatRequest {
  const { response_format: _format, ...body } = request.body;
  const text = `Answer with JSON that fits this JSON Schema, and with nothing else:\n${JSON.stringify(schema)}`;
  const mode = level === 'json_object' ? { response_format: { type: 'json_object' } } : {};
  return {
    body: { ...body, ...mode, messages: withInstruction(request.body.messages, text) },
    ...(request.translated === undefined ? {} : { translated: request.translated }),
  };
}

/** The fault in an answer's text, as a sentence for the model; or the JSON in it, as text. */
export function validateAnswer(text: string, check: SchemaCheck): { readonly fault: string } | { readonly json: string } {
  const value = extractJson(text);
  if (value === undefined) return { fault: 'the answer is not JSON' };
  const fault = check.fault(value);
  if (fault !== null) return { fault: `${fault.path || 'the answer'} ${fault.message}` };
  return { json: isBare(text) ? text : JSON.stringify(value) };
}

function isBare(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The top-level fields of a chat request in a vendor format: taken, dropped with a warning, refused, or passed through. */
import type { ChatBody } from '../../types/chat.ts';
import { GatewayError } from '../../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';
import type { EncodeTarget } from '../../types/wire-format.ts';

/** The error for an unsupported feature. `remedy`: what the caller should do instead. */
export function unsupported(
  target: EncodeTarget,
  param: string,
  what: string,
  remedy = 'Leave it out or use another model.',
): GatewayError {
  return new GatewayError('unsupported_parameter', `${param}: ${target.vendor} ${what}. ${remedy}`, { param });
}

/** Optional fields of OpenAI's request: without them the answer still answers the question. */
const optionalFields: ReadonlySet<string> = new Set([
  'user',
  'metadata',
  'store',
  'service_tier',
  'prediction',
  'verbosity',
  'safety_identifier',
  'prompt_cache_key',
  'prompt_cache_retention',
  'seed',
  'presence_penalty',
  'frequency_penalty',
  'parallel_tool_calls',
]);

/** Values of optional fields that ask for the default behaviour. */
const defaultValues: Readonly<Record<string, readonly Json[]>> = {
  parallel_tool_calls: [true],
  store: [false],
  service_tier: ['auto', 'default'],
  presence_penalty: [0],
  frequency_penalty: [0],
};

/** Fields that change the meaning or content of an answer, with a test for values that have no effect. */
const essentialFields: Readonly<Record<string, (value: Json) => boolean>> = {
  n: (value) => value === 1,
  logprobs: (value) => value === false,
  top_logprobs: (value) => value === 0,
  logit_bias: (value) => isJsonObject(value) && Object.keys(value).length === 0,
  modalities: (value) => Array.isArray(value) && value.every((each) => each === 'text'),
  audio: () => false,
  web_search_options: () => false,
  functions: (value) => Array.isArray(value) && value.length === 0,
  function_call: (value) => value === 'none',
};

/** Fields that Pailou handles itself; no format passes them through. */
const handledByPailou: ReadonlySet<string> = new Set(['model', 'messages', 'stream', 'stream_options', 'tools', 'tool_choice']);

/** The fields that the format has not `taken`. Known optional ones are dropped with a warning, essential ones are refused, and unknown ones are returned. Null counts as absent. */
export function remainingFields(body: ChatBody, target: EncodeTarget, taken: ReadonlySet<string>): Record<string, Json> {
  const rest: Record<string, Json> = {};
  for (const [field, value] of Object.entries(body)) {
    if (value === undefined || value === null || handledByPailou.has(field) || taken.has(field)) continue;
    const hasNoEffect = essentialFields[field];
    if (hasNoEffect !== undefined) {
      if (!hasNoEffect(value)) throw unsupported(target, field, `has no ${field}`);
    } else if (!optionalFields.has(field)) rest[field] = value;
    else if (defaultValues[field]?.includes(value) !== true) target.warn(`${field} left out: ${target.vendor} has none`);
  }
  return rest;
}

/** The output token limit, by its new or its old name. */
export function maxTokensOf(body: JsonObject): Json | undefined {
  return body['max_completion_tokens'] ?? body['max_tokens'] ?? undefined;
}

/** `stop` as a list; undefined when absent. */
export function stopsOf(body: JsonObject): readonly Json[] | undefined {
  const stop = body['stop'];
  if (typeof stop === 'string') return [stop];
  return Array.isArray(stop) && stop.length > 0 ? (stop as readonly Json[]) : undefined;
}

export type ResponseForm = { readonly kind: 'json' } | { readonly kind: 'schema'; readonly schema: JsonObject; readonly name: string };

/** The required form of the answer; undefined for free text. Throws for an unknown form. */
export function responseFormOf(body: JsonObject, target: EncodeTarget): ResponseForm | undefined {
  const format = body['response_format'];
  if (format === undefined || format === null) return undefined;
  const type = isJsonObject(format) ? format['type'] : format;
  if (type === 'text') return undefined;
  if (type === 'json_object') return { kind: 'json' };
  const described = isJsonObject(format) && isJsonObject(format['json_schema']) ? format['json_schema'] : undefined;
  if (type === 'json_schema' && described !== undefined) {
    const name = typeof described['name'] === 'string' ? described['name'] : 'answer';
    return isJsonObject(described['schema']) ? { kind: 'schema', schema: described['schema'], name } : { kind: 'json' };
  }
  throw unsupported(target, 'response_format', 'knows text, json_object and json_schema only', 'Choose one of these.');
}

export const efforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;
export type Effort = (typeof efforts)[number];

/** The reasoning effort; undefined leaves it to the model. */
export function effortOf(body: JsonObject): Effort | undefined {
  const effort = body['reasoning_effort'];
  if (effort === undefined || effort === null) return undefined;
  const known = efforts.find((each) => each === effort);
  if (known !== undefined) return known;
  throw new GatewayError('invalid_request', `reasoning_effort: must be one of ${efforts.join(', ')}.`, { param: 'reasoning_effort' });
}

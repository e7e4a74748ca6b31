/** Converts a request in OpenAI's Responses format to the canonical one. */
import { z } from 'zod';
import type { ChatBody, ChatRequest, Demand } from '../../../types/chat.ts';
import type { Decision } from '../../../types/approval-decision.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { readDecisions } from './approval-decisions.ts';
import { asksForCompaction, summaryRequest } from './compaction.ts';
import { atOpenai } from './request-errors.ts';
import { readItems } from './input-items.ts';
import { readInputSettings } from './input-tools.ts';
import { nativeRequest } from './native-body.ts';
import { OfferedTools, type ToolOrigins } from './offered-tools.ts';
import { readTextFormat } from './text-format.ts';
import { readToolChoice } from './tool-choice.ts';

/** Loose: unknown fields pass. Items, tools and choices are validated where they are read. */
export const responsesBodySchema = z.looseObject({
  model: z.string().min(1).max(256).describe('A model from GET /v1/models, or skill/<name>.'),
  input: z.union([z.string().min(1), z.array(z.looseObject({})).min(1)], { error: 'must be a text or a list of items, and not empty' }),
  instructions: z.string().nullish(),
  previous_response_id: z.string().max(200).nullish(),
  store: z.boolean().nullish(),
  stream: z.boolean().nullish(),
  max_output_tokens: z.int().min(1).nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
  truncation: z.enum(['auto', 'disabled']).nullish(),
  include: z.array(z.string()).nullish(),
  text: z.looseObject({}).nullish(),
  reasoning: z.looseObject({ effort: z.string().nullish(), summary: z.string().nullish() }).nullish(),
});

/** Fields with a meaning in Pailou, all read below or by the route. */
const read: ReadonlySet<string> = new Set([
  ...Object.keys(responsesBodySchema.shape),
  'stream_options',
  'tools',
  'tool_choice',
  'background',
]);

/** Optional fields of OpenAI. Without them the answer still answers the question. */
const optionalFields: ReadonlySet<string> = new Set([
  'access_programs',
  'client_metadata',
  'context_management',
  'image',
  'max_tool_calls',
  'moderation',
  'prompt_cache_options',
]);

/** Objects that are stored or run at OpenAI. */
const storedAtOpenai: Readonly<Record<string, string>> = { conversation: 'a stored conversation', prompt: 'a stored prompt' };

export interface ResponsesRequest {
  readonly request: ChatRequest;
  readonly stream: boolean;
  /** True when reasoning goes out as a summary, the only form that some clients show. */
  readonly summary: boolean;
  /** True when encrypted reasoning goes out with the reasoning items. */
  readonly encrypted: boolean;
  /** Request fields that the response repeats. */
  readonly echo: JsonObject;
  /** The origins of the offered tools' names. */
  readonly origins: ToolOrigins;
  /** True when the answer is a summary of the conversation, as one item. */
  readonly compaction: boolean;
  /** The messages that a later response continues, without the answer. */
  readonly messages: readonly JsonObject[];
  /** Approval decisions in the input. */
  readonly decisions: readonly Decision[];
}

/** What precedes the input: the conversation, and the items of the previous response. */
export interface Earlier {
  readonly messages: readonly JsonObject[];
  readonly items: readonly JsonObject[];
}

function given(body: JsonObject, field: string, as: string = field): Record<string, Json> {
  const value = body[field];
  return value === undefined || value === null ? {} : { [as]: value };
}

function echoOf(body: JsonObject): JsonObject {
  const reasoning = isJsonObject(body['reasoning']) ? body['reasoning'] : {};
  return {
    instructions: body['instructions'] ?? null,
    max_output_tokens: body['max_output_tokens'] ?? null,
    max_tool_calls: body['max_tool_calls'] ?? null,
    metadata: body['metadata'] ?? {},
    parallel_tool_calls: body['parallel_tool_calls'] ?? true,
    previous_response_id: body['previous_response_id'] ?? null,
    reasoning: { effort: reasoning['effort'] ?? null, summary: reasoning['summary'] ?? null },
    temperature: body['temperature'] ?? null,
    text: { format: { type: 'text' }, ...(isJsonObject(body['text']) ? body['text'] : {}) },
    tool_choice: body['tool_choice'] ?? 'auto',
    tools: body['tools'] ?? [],
    top_logprobs: body['top_logprobs'] ?? 0,
    top_p: body['top_p'] ?? null,
    truncation: body['truncation'] ?? 'disabled',
    ...given(body, 'user'),
    ...given(body, 'safety_identifier'),
    ...given(body, 'prompt_cache_key'),
    // Clients of 2026 read it without a check.
    prompt_cache_diagnostics: null,
  };
}

/** The other fields: passed through, unless they are OpenAI's alone. */
function passthroughFields(body: JsonObject, leftOut: string[]): Record<string, Json> {
  const rest: Record<string, Json> = {};
  for (const [field, value] of Object.entries(body)) {
    if (value === undefined || value === null || read.has(field)) continue;
    const what = storedAtOpenai[field];
    if (what !== undefined) throw atOpenai(field, what, 'Send it in the request itself.');
    if (optionalFields.has(field)) leftOut.push(field);
    else rest[field] = value;
  }
  return rest;
}

function logprobsOf(body: JsonObject): Record<string, Json> {
  const include = Array.isArray(body['include']) ? (body['include'] as readonly Json[]) : [];
  const top = typeof body['top_logprobs'] === 'number' ? body['top_logprobs'] : 0;
  if (top === 0 && !include.includes('message.output_text.logprobs')) return {};
  return { logprobs: true, ...(top === 0 ? {} : { top_logprobs: top }) };
}

/** The fields of the answer's form. A summary is plain text without tools. */
function formOf(body: JsonObject, offered: OfferedTools, choice: Json | undefined): Record<string, Json> {
  const format = readTextFormat(body['text']);
  return {
    ...logprobsOf(body),
    ...(offered.tools.length === 0
      ? {}
      : { tools: offered.tools, ...(choice === undefined ? {} : { tool_choice: choice }), ...given(body, 'parallel_tool_calls') }),
    ...(format === undefined ? {} : { response_format: format }),
    ...(isJsonObject(body['text']) ? given(body['text'], 'verbosity') : {}),
  };
}

/** `body` fits the schema above, and its item references are resolved. `headers`: those of the caller. Throws a fault naming the field. */
export function readResponsesRequest(
  body: JsonObject,
  earlier: Earlier = { messages: [], items: [] },
  headers: Readonly<Record<string, unknown>> = {},
): ResponsesRequest {
  if (body['background'] === true) throw atOpenai('background', 'work in the background', 'Leave it out; the answer can be streamed.');
  const leftOut: string[] = [];
  const rest = passthroughFields(body, leftOut);
  if (body['truncation'] === 'auto') leftOut.push('truncation');
  const offered = new OfferedTools();
  offered.addAll(body['tools'], 'tools');
  const settings = readInputSettings(body, offered);
  const { choice, demand } = readToolChoice(body['tool_choice'], offered);
  for (const type of offered.hosted) leftOut.push(`the tool ${type}`);
  const decisions = readDecisions(body['input']);
  const open = new Set(decisions.map(({ id }) => id));
  const leftOutInput = new Set<string>();
  const demands: Demand[] = [];
  const itemsOf = (pending: ReadonlySet<string>): JsonObject[] =>
    readItems(body['input'], {
      open: pending,
      before: earlier.items,
      offered,
      leaveOut: (what) => leftOutInput.add(what),
      demand: (each) => demands.push(each),
    });
  const messages = [...earlier.messages, ...itemsOf(open)];
  leftOut.push(...leftOutInput);
  const compaction = asksForCompaction(body['input']);
  const instructions = typeof body['instructions'] === 'string' && body['instructions'] !== '' ? body['instructions'] : null;
  const reasoning = isJsonObject(settings.body['reasoning']) ? settings.body['reasoning'] : {};
  const conversation = compaction ? [...messages, summaryRequest] : messages;
  const chat: JsonObject = {
    ...rest,
    model: body['model'] ?? '',
    messages: instructions === null ? conversation : [{ role: 'system', content: instructions }, ...conversation],
    ...given(body, 'max_output_tokens', 'max_tokens'),
    ...given(body, 'temperature'),
    ...given(body, 'top_p'),
    ...(compaction ? {} : formOf(settings.body, offered, choice)),
    ...given(reasoning, 'effort', 'reasoning_effort'),
    ...(body['stream'] === true ? { stream: true } : {}),
  };
  const include = Array.isArray(body['include']) ? (body['include'] as readonly Json[]) : [];
  const native = nativeRequest(body, earlier.messages, settings.features, headers);
  if (demand !== undefined && !compaction) demands.push(demand);
  const translated = { leftOut, demands };
  return {
    request: { body: chat as ChatBody, ...(native === undefined ? {} : { native }), translated },
    stream: body['stream'] === true,
    summary: typeof (reasoning['summary'] ?? reasoning['generate_summary']) === 'string',
    encrypted: include.includes('reasoning.encrypted_content'),
    echo: echoOf(body),
    origins: offered,
    compaction,
    // For a later response, no approval is pending any more.
    messages: open.size === 0 ? messages : [...earlier.messages, ...itemsOf(new Set())],
    decisions,
  };
}

/** The ids of earlier items that the input refers to, each with its index. */
export function itemReferences(body: JsonObject): { readonly index: number; readonly id: string }[] {
  const { input } = body;
  if (!Array.isArray(input)) return [];
  return input.flatMap((item: Json, index) => {
    if (!isJsonObject(item)) return [];
    const { type, id } = item;
    // An item with an id alone may omit the type.
    const refers = type === 'item_reference' || ((type === undefined || type === null) && item['role'] === undefined);
    return refers && typeof id === 'string' ? [{ index, id }] : [];
  });
}

/** The body with the references at these indexes replaced by the items. */
export function withItems(body: JsonObject, items: ReadonlyMap<number, JsonObject>): JsonObject {
  if (items.size === 0 || !Array.isArray(body['input'])) return body;
  return { ...body, input: body['input'].map((item: Json, index) => items.get(index) ?? item) };
}

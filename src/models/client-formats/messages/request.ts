/** Converts a request in Anthropic's Messages format to the canonical one, and keeps the original for vendors of that format. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { withoutBillingLine } from '../../../text/billing-line.ts';
import type { ChatBody, ChatRequest } from '../../../types/chat.ts';
import { GatewayError } from '../../../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { Losses } from './translation-losses.ts';
import { hasPailouBlocks } from './mcp-blocks.ts';
import { nativeBody } from './native-body.ts';
import { readOutputFormat, readThinking } from './thinking-fields.ts';
import { readToolChoice, readTools } from './tools.ts';
import { readTurns } from './turns.ts';

/** Loose: unknown fields pass. Blocks, tools and choices are validated where they are read. */
export const messagesBodySchema = z.looseObject({
  model: z.string().min(1).max(256).describe('A model from GET /v1/models, or skill/<name>.'),
  messages: z.array(z.looseObject({ role: z.enum(['user', 'assistant', 'system']) })).min(1),
  max_tokens: z.int().min(0).describe('The most tokens to answer with.'),
  system: z.union([z.string(), z.array(z.looseObject({ type: z.string() }))]).nullish(),
  stream: z.boolean().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  top_k: z.int().min(0).nullish(),
  stop_sequences: z.array(z.string()).nullish(),
  tools: z.array(z.looseObject({})).nullish(),
});

/** Like a message request, without the fields for the answer. */
export const countTokensBodySchema = messagesBodySchema.partial({ max_tokens: true });

/** Fields with an equivalent in OpenAI's format, all read below. */
const read: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'max_tokens',
  'system',
  'stream',
  'temperature',
  'top_p',
  'top_k',
  'stop_sequences',
  'tools',
  'tool_choice',
  'thinking',
  'output_config',
  'output_format',
  'metadata',
]);

/** Optional fields of Anthropic. Without them the answer still answers the question. */
const optionalFields: ReadonlySet<string> = new Set([
  'betas',
  'billing_policy',
  'cache_control',
  'compaction',
  'context_management',
  'diagnostics',
  'fallback_credit_token',
  'fallbacks',
  'inference_geo',
  'service_tier',
  'speed',
  'user_profile_id',
  'workspace_id',
]);

/** Fields that change the meaning of the request, with the ability that a vendor needs for them. */
const requiredAbilities: Readonly<Record<string, string>> = {
  container: 'containers',
  mcp_servers: 'connections to tool servers of its own',
};

/** The longest `user` that OpenAI accepts. Claude Code sends longer ones; a digest still distinguishes users. */
const maxUserLength = 64;

function userOf(metadata: Json | undefined): Record<string, Json> {
  const id = isJsonObject(metadata) ? metadata['user_id'] : undefined;
  if (typeof id !== 'string' || id === '') return {};
  return { user: id.length <= maxUserLength ? id : createHash('sha256').update(id).digest('hex') };
}

function isNothing(value: Json | undefined): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}

/** Unknown fields. With beta headers they are Anthropic's; otherwise they are another vendor's and pass through. */
function passthroughFields(body: JsonObject, beta: string | undefined, losses: Losses): Record<string, Json> {
  const rest: Record<string, Json> = {};
  for (const [field, value] of Object.entries(body)) {
    if (read.has(field) || value === undefined || isNothing(value)) continue;
    const need = requiredAbilities[field];
    if (need !== undefined) losses.demand(field, need);
    else if (optionalFields.has(field) || beta !== undefined) losses.leaveOut(field);
    else rest[field] = value;
  }
  return rest;
}

function given(body: JsonObject, field: string, as: string = field): Record<string, Json> {
  const value = body[field];
  return value === undefined || isNothing(value) ? {} : { [as]: value };
}

/** Refuses threads: they are stored at the vendor under the company's key, where every caller could continue any thread. Anthropic's clients respond to this code by sending the whole conversation. */
function refuseThread(body: JsonObject): void {
  if (isNothing(body['thread'])) return;
  throw new GatewayError(
    'unsupported_parameter',
    'thread: conversations are not kept at the vendor here. Send all messages without thread.',
    {
      param: 'thread',
      expose: { error_code: 'thread_unsupported_request' },
    },
  );
}

export interface MessagesRequest {
  readonly request: ChatRequest;
  readonly stream: boolean;
  /** True when reasoning is included in the answer. */
  readonly reasoning: boolean;
}

/** `body` fits one of the schemas above. `beta`: the caller's `anthropic-beta` header. Throws `invalid_request` naming the field. */
export function readMessagesRequest(body: JsonObject, beta?: string): MessagesRequest {
  refuseThread(body);
  const losses = new Losses();
  const messages = readTurns(withoutBillingLine(body['system']), (body['messages'] ?? []) as readonly JsonObject[], losses);
  const tools = readTools(body['tools'], losses);
  const choice = readToolChoice(body['tool_choice']);
  const thinking = readThinking(body);
  const format = readOutputFormat(body);
  const chat: JsonObject = {
    ...passthroughFields(body, beta, losses),
    model: body['model'] ?? '',
    messages,
    ...given(body, 'max_tokens'),
    ...given(body, 'temperature'),
    ...given(body, 'top_p'),
    ...given(body, 'top_k'),
    ...given(body, 'stop_sequences', 'stop'),
    ...(tools === undefined ? {} : { tools, ...choice }),
    ...(thinking.effort === undefined ? {} : { reasoning_effort: thinking.effort }),
    ...(format === undefined ? {} : { response_format: format }),
    ...userOf(body['metadata']),
    ...(body['stream'] === true ? { stream: true } : {}),
  };
  const native = {
    format: 'anthropic',
    body: nativeBody(body),
    ...(beta === undefined ? {} : { headers: { 'anthropic-beta': beta } }),
  };
  return {
    request: {
      body: chat as ChatBody,
      // Anthropic does not know the servers that Pailou has called.
      ...(((body['messages'] ?? []) as readonly JsonObject[]).some(hasPailouBlocks) ? {} : { native }),
      translated: losses.translation,
    },
    stream: body['stream'] === true,
    reasoning: thinking.shown,
  };
}

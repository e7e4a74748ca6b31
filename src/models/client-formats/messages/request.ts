/** A request in Anthropic's Messages format as the canonical one, with its own writing kept for vendors that speak it. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { ChatBody, ChatRequest } from '../../../types/chat.ts';
import { GatewayError } from '../../../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { Losses } from './translation-losses.ts';
import { hasOwnBlocks } from './mcp-blocks.ts';
import { nativeBody } from './native-body.ts';
import { readOutputFormat, readThinking } from './thinking-fields.ts';
import { readToolChoice, readTools } from './tools.ts';
import { readTurns } from './turns.ts';

/** Loose: unknown fields pass. Blocks, tools and choices are checked where they are read. */
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

/** As for a message, but nothing is answered. */
export const countTokensBodySchema = messagesBodySchema.partial({ max_tokens: true });

/** Fields with a meaning in OpenAI's words, all read below. */
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

/** Anthropic's own fields without which an answer is still the answer to the question. */
const wishes: ReadonlySet<string> = new Set([
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

/** Those that change what is asked, and what a vendor needs for them. */
const weighty: Readonly<Record<string, string>> = {
  container: 'containers',
  mcp_servers: 'connections to tool servers of its own',
};

/** The longest `user` that OpenAI takes; Claude Code sends more. A digest still tells one user from the other. */
const longestUser = 64;

function userOf(metadata: Json | undefined): Record<string, Json> {
  const id = isJsonObject(metadata) ? metadata['user_id'] : undefined;
  if (typeof id !== 'string' || id === '') return {};
  return { user: id.length <= longestUser ? id : createHash('sha256').update(id).digest('hex') };
}

function isNothing(value: Json | undefined): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}

/** What the format does not read. With beta headers the unknown is Anthropic's too; else it is some vendor's own, and passes on. */
function passedOn(body: JsonObject, beta: string | undefined, losses: Losses): Record<string, Json> {
  const rest: Record<string, Json> = {};
  for (const [field, value] of Object.entries(body)) {
    if (read.has(field) || value === undefined || isNothing(value)) continue;
    const need = weighty[field];
    if (need !== undefined) losses.demand(field, need);
    else if (wishes.has(field) || beta !== undefined) losses.leaveOut(field);
    else rest[field] = value;
  }
  return rest;
}

function given(body: JsonObject, field: string, as: string = field): Record<string, Json> {
  const value = body[field];
  return value === undefined || isNothing(value) ? {} : { [as]: value };
}

/**
 * A thread lies at the vendor under the company's one key, where any caller could go on with any other's. The code is the one by
 * which Anthropic's clients know to send the whole conversation instead.
 */
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
  /** Whether to show what the model thought. */
  readonly reasoning: boolean;
}

/** `body` fits one of the schemas above; `beta` is the caller's `anthropic-beta` header. Throws `invalid_request` naming the field at fault. */
export function readMessagesRequest(body: JsonObject, beta?: string): MessagesRequest {
  refuseThread(body);
  const losses = new Losses();
  const messages = readTurns(body['system'], (body['messages'] ?? []) as readonly JsonObject[], losses);
  const tools = readTools(body['tools'], losses);
  const choice = readToolChoice(body['tool_choice']);
  const thinking = readThinking(body);
  const format = readOutputFormat(body);
  const chat: JsonObject = {
    ...passedOn(body, beta, losses),
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
      // Anthropic knows nothing of the servers that Pailou has called.
      ...(((body['messages'] ?? []) as readonly JsonObject[]).some(hasOwnBlocks) ? {} : { native }),
      translated: losses.translation,
    },
    stream: body['stream'] === true,
    reasoning: thinking.shown,
  };
}

/** Converts an OpenAI chat request to Anthropic's Messages format. */
import type { ChatBody, ChatRequest } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { EncodeTarget } from '../../../types/wire-format.ts';
import { claudeSampling, claudeThinking } from '../../conversation/claude-thinking.ts';
import { type ClaudeTraits, claudeTraits } from '../../conversation/claude.ts';
import { maxTokensOf, remainingFields, responseFormOf, stopsOf, unsupported } from '../../conversation/request-fields.ts';
import { toolChoiceOf } from '../../conversation/tool-use.ts';
import { writeConversation } from './messages.ts';
import { closedSchema } from '../../conversation/closed-schema.ts';
import { writeTools } from './tools.ts';

const taken: ReadonlySet<string> = new Set([
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'top_k',
  'stop',
  'response_format',
  'reasoning_effort',
  'web_search_options',
  'thinking',
  'output_config',
  'user',
  'safety_identifier',
  'metadata',
  'parallel_tool_calls',
  'logit_bias',
  // Sent as a header.
  'betas',
]);

function writeStops(body: ChatBody, target: EncodeTarget): JsonObject {
  const stops = stopsOf(body);
  if (stops === undefined) return {};
  if (stops.some((each) => typeof each === 'string' && each.trim() === '')) {
    throw unsupported(target, 'stop', 'takes no stop sequence of white space alone', 'Choose another one.');
  }
  return { stop_sequences: stops };
}

/** The end user: Anthropic's own field, otherwise OpenAI's two. */
function writeUser(body: ChatBody, target: EncodeTarget): JsonObject {
  const { metadata, user, safety_identifier: identifier } = body;
  const own = isJsonObject(metadata) ? metadata['user_id'] : undefined;
  if (isJsonObject(metadata) && Object.keys(metadata).some((key) => key !== 'user_id')) {
    target.warn(`metadata left out: ${target.vendor} knows user_id only`);
  }
  const id = [own, user, identifier].find((each) => typeof each === 'string' && each !== '');
  return id === undefined ? {} : { metadata: { user_id: id } };
}

function writeForm(body: ChatBody, target: EncodeTarget, traits: ClaudeTraits): JsonObject | undefined {
  const form = responseFormOf(body, target);
  if (form === undefined) return undefined;
  if (form.kind === 'json') {
    throw unsupported(target, 'response_format', 'has no JSON without a schema', 'Send a json_schema instead.');
  }
  if (!traits.schemas) throw unsupported(target, 'response_format', `cannot hold ${target.model} to a schema`);
  const warn = (keyword: string): void =>
    target.warn(`${keyword} in response_format sent in the prompt only: ${target.vendor} does not enforce it`);
  return { type: 'json_schema', schema: closedSchema(form.schema, warn) };
}

function writeOutput(body: ChatBody, effort: string | undefined, format: JsonObject | undefined): JsonObject {
  const given = isJsonObject(body['output_config']) ? body['output_config'] : {};
  const output = { ...(effort === undefined ? {} : { effort }), ...given, ...(format === undefined ? {} : { format }) };
  return Object.keys(output).length === 0 ? {} : { output_config: output };
}

function warnOfBias(body: ChatBody, target: EncodeTarget): void {
  const bias = body['logit_bias'];
  if (isJsonObject(bias) && Object.keys(bias).length > 0) target.warn(`logit_bias left out: ${target.vendor} has none`);
}

function writeRequest(body: ChatBody, target: EncodeTarget): JsonObject {
  const traits = claudeTraits(target.model);
  const rest = remainingFields(body, target, taken);
  warnOfBias(body, target);
  const choice = body.tools === undefined || body.tools.length === 0 ? undefined : toolChoiceOf(body, target);
  const maxTokens: Json = maxTokensOf(body) ?? traits.maxTokens;
  if (maxTokensOf(body) === undefined && !traits.isClaude) target.warn(`max_tokens set to ${traits.maxTokens}: ${target.vendor} needs one`);
  const { thinking, effort, active } = claudeThinking(body, target, { traits, choice, maxTokens, formats: ['anthropic'] });
  const thoughts = { include: active || !traits.isClaude, unsigned: !traits.isClaude };
  const { system, messages, called } = writeConversation(body.messages, target, thoughts);
  return {
    ...rest,
    model: target.model,
    max_tokens: maxTokens,
    messages,
    ...(system === undefined ? {} : { system }),
    ...(target.stream ? { stream: true } : {}),
    ...claudeSampling(body, target, traits, active),
    ...writeStops(body, target),
    ...writeTools(body, target, { choice, called, schemas: traits.schemas }),
    ...(thinking === undefined ? {} : { thinking }),
    ...writeOutput(body, effort, writeForm(body, target, traits)),
    ...writeUser(body, target),
  };
}

/** A request in this client format is sent unchanged, except for the vendor's model name. */
export function encodeRequest(request: ChatRequest, target: EncodeTarget): string {
  const native = request.native?.format === 'anthropic' ? request.native.body : undefined;
  const body: JsonObject =
    native === undefined ? writeRequest(request.body, target) : { ...native, model: target.model, stream: target.stream };
  return JSON.stringify(target.adjust === undefined ? body : target.adjust(body));
}

/** `betas` of the body, as Anthropic's own clients write them. */
export function headers(_target: EncodeTarget, request: ChatRequest): Readonly<Record<string, string>> {
  const { betas } = request.body;
  const names = Array.isArray(betas) ? betas.filter((each: Json) => typeof each === 'string' && /^[\w.-]{1,100}$/.test(each)) : [];
  return { 'anthropic-version': '2023-06-01', ...(names.length === 0 ? {} : { 'anthropic-beta': names.join(',') }) };
}

/** Converts an OpenAI chat request to DashScope's format: the conversation in `input`, all settings in `parameters`. */
import type { ChatRequest } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { EncodeTarget } from '../../../types/wire-format.ts';
import { onlyText, type PlacedPart, readContent } from '../../conversation/content-parts.ts';
import { type Effort, effortOf, maxTokensOf, remainingFields, responseFormOf, unsupported } from '../../conversation/request-fields.ts';
import { earlierCalls, functionTools, toolChoiceOf } from '../../conversation/tool-use.ts';

const taken: ReadonlySet<string> = new Set([
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'n',
  'stop',
  'seed',
  'presence_penalty',
  'logprobs',
  'top_logprobs',
  'response_format',
  'reasoning_effort',
  'parallel_tool_calls',
]);

/** Message members that come from answers and that this vendor ignores. */
const answerMembers: ReadonlySet<string> = new Set(['refusal', 'annotations', 'audio', 'images', 'reasoning_details', 'function_call']);

/** Thinking tokens by effort. Above `high` the model's own limit applies. */
const budgets: Readonly<Partial<Record<Effort, number>>> = { minimal: 512, low: 2_048, medium: 8_192, high: 24_576 };

/** One part for a multimodal model. Text models refuse lists, so text-only messages are never written as lists. */
function writePart(part: PlacedPart, target: EncodeTarget): Json {
  switch (part.kind) {
    case 'text':
      return { text: part.text };
    case 'image':
      return { image: part.url };
    case 'video':
      return { video: part.url };
    case 'audio':
      return { audio: `data:${part.data.mediaType};base64,${part.data.base64}` };
    case 'unknown':
      // DashScope's own parts have no type. Video frames in its compatible mode have one, which this API does not need.
      if (isJsonObject(part.part) && part.part['type'] === undefined) return part.part;
      if (isJsonObject(part.part) && part.part['type'] === 'video' && part.part['video'] !== undefined)
        return { video: part.part['video'] };
      throw unsupported(target, part.path, `takes no part of type ${part.type}`);
    case 'file':
      throw unsupported(target, part.path, 'takes no files in a message', 'Send the text of the file, or its pages as pictures.');
  }
}

function writeMessage(message: JsonObject, index: number, target: EncodeTarget): JsonObject {
  const path = `messages[${index}]`;
  const role = message['role'] === 'developer' ? 'system' : message['role'];
  if (role === 'function') throw unsupported(target, `${path}.role`, 'has no role function', 'Send the result with the role tool.');
  const parts = readContent(message['content'], path);
  const { text, other } = onlyText(parts);
  const remaining = Object.entries(message).filter(([field, value]) => value !== null && !answerMembers.has(field));
  const calls = earlierCalls(message, path);
  return {
    ...Object.fromEntries(remaining),
    role: role ?? 'user',
    content: other === undefined ? text : parts.map((part) => writePart(part, target)),
    ...(calls.length === 0
      ? {}
      : {
          tool_calls: calls.map((call, position) => ({
            id: call.id,
            type: 'function',
            index: position,
            function: { name: call.name, arguments: call.text },
          })),
        }),
  };
}

/** `value` within the vendor's range, with a warning when it was changed. */
function clamped(field: string, value: Json | undefined, least: number, most: number, target: EncodeTarget): Json | undefined {
  if (typeof value !== 'number' || (value >= least && value <= most)) return value;
  const near = Math.min(most, Math.max(least, value));
  target.warn(`${field} ${value} changed to ${near}: ${target.vendor} takes ${least} to ${most}`);
  return near;
}

function toolParameters(body: ChatRequest['body'], target: EncodeTarget): Record<string, Json> {
  const tools = functionTools(body, target);
  if (tools.length === 0) return {};
  const choice = toolChoiceOf(body, target);
  if (choice?.mode === 'required' || (choice?.mode === 'named' && choice.names.length !== 1)) {
    throw unsupported(target, 'tool_choice', 'cannot be made to call any one of several tools', 'Send auto, none or one function by name.');
  }
  const offered = (body.tools ?? []).filter((_, index) => choice?.mode !== 'allowed' || choice.names.includes(tools[index]?.name ?? ''));
  const parallel = body['parallel_tool_calls'];
  return {
    tools: offered,
    ...(choice === undefined
      ? {}
      : {
          tool_choice:
            choice.mode === 'named' ? { type: 'function', function: { name: choice.names[0] } } : choice.mode === 'none' ? 'none' : 'auto',
        }),
    ...(typeof parallel === 'boolean' ? { parallel_tool_calls: parallel } : {}),
  };
}

function thinking(effort: Effort | undefined): Record<string, Json> {
  if (effort === undefined) return {};
  if (effort === 'none') return { enable_thinking: false };
  const budget = budgets[effort];
  return budget === undefined ? { enable_thinking: true } : { enable_thinking: true, thinking_budget: budget };
}

/** The caller's fields that have the same name at DashScope. */
const same = ['n', 'stop', 'seed', 'presence_penalty', 'logprobs', 'top_logprobs'] as const;

export function encodeRequest(request: ChatRequest, target: EncodeTarget): string {
  const { body } = request;
  // Validated here and sent unchanged: DashScope uses OpenAI's forms.
  const form = responseFormOf(body, target);
  const settings: Record<string, Json | undefined> = {
    ...Object.fromEntries(same.map((field) => [field, body[field] ?? undefined])),
    temperature: clamped('temperature', body['temperature'] ?? undefined, 0, 1.99, target),
    top_p: clamped('top_p', body['top_p'] ?? undefined, 1e-6, 0.999999, target),
    max_tokens: maxTokensOf(body),
    response_format: form === undefined ? undefined : body['response_format'],
    ...toolParameters(body, target),
    ...thinking(effortOf(body)),
    ...remainingFields(body, target, taken),
    result_format: 'message',
    ...(target.stream ? { incremental_output: true } : {}),
  };
  const encoded: JsonObject = {
    model: target.model,
    input: { messages: body.messages.map((message, index) => writeMessage(message, index, target)) },
    parameters: settings,
  };
  return JSON.stringify(target.adjust === undefined ? encoded : target.adjust(encoded));
}

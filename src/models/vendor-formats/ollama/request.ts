/** Converts an OpenAI chat request to Ollama's native API. */
import type { ChatBody, ChatRequest } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { EncodeTarget } from '../../../types/wire-format.ts';
import { readContent, readDataUrl } from '../../conversation/content-parts.ts';
import {
  type Effort,
  effortOf,
  maxTokensOf,
  remainingFields,
  responseFormOf,
  stopsOf,
  unsupported,
} from '../../conversation/request-fields.ts';
import { earlierCalls, functionTools, resultName, toolChoiceOf } from '../../conversation/tool-use.ts';

/** Ollama's sampling and memory options, which it takes in `options`. Callers may set them as top-level fields. */
const optionNames = [
  'temperature',
  'top_p',
  'top_k',
  'min_p',
  'typical_p',
  'tfs_z',
  'seed',
  'presence_penalty',
  'frequency_penalty',
  'repeat_penalty',
  'repeat_last_n',
  'penalize_newline',
  'mirostat',
  'mirostat_tau',
  'mirostat_eta',
  'num_ctx',
  'num_keep',
  'num_predict',
  'num_batch',
  'num_gpu',
  'main_gpu',
  'num_thread',
  'numa',
  'low_vram',
  'use_mmap',
  'use_mlock',
] as const;

const taken: ReadonlySet<string> = new Set([
  ...optionNames,
  'max_tokens',
  'max_completion_tokens',
  'stop',
  'response_format',
  'reasoning_effort',
  'logprobs',
  'top_logprobs',
  'options',
]);

function given(members: Readonly<Record<string, Json | undefined>>): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(members).filter((entry): entry is [string, Json] => entry[1] !== undefined && entry[1] !== null),
  );
}

function optionsOf(body: ChatBody): Record<string, Json> {
  const own = isJsonObject(body['options']) ? body['options'] : {};
  return given({
    num_predict: maxTokensOf(body),
    stop: stopsOf(body),
    ...Object.fromEntries(optionNames.flatMap((name) => (body[name] === undefined ? [] : [[name, body[name]]]))),
    ...own,
  });
}

/** gpt-oss has effort levels and always thinks. All other models think or do not. */
function thinkOf(effort: Effort | undefined, target: EncodeTarget): Json | undefined {
  if (effort === undefined) return undefined;
  if (!/gpt-oss/i.test(target.model)) return effort !== 'none';
  if (effort === 'none') target.warn(`reasoning_effort none changed to low: ${target.model} always thinks`);
  if (effort === 'none' || effort === 'minimal') return 'low';
  return effort === 'low' || effort === 'medium' ? effort : 'high';
}

/** The text of a message, and its pictures separately as plain base64. */
function contentOf(message: JsonObject, path: string, target: EncodeTarget): { readonly text: string; readonly images: readonly string[] } {
  const images: string[] = [];
  let text = '';
  for (const part of readContent(message['content'], path)) {
    if (part.kind === 'text') text += part.text;
    else if (part.kind === 'image') {
      const data = readDataUrl(part.url, part.path);
      if (data === undefined) throw unsupported(target, part.path, 'takes no addresses of pictures', 'Send the picture as a data: URL.');
      images.push(data.base64);
    } else {
      const what = part.kind === 'unknown' ? `parts of type ${part.type}` : part.kind === 'file' ? 'files' : part.kind;
      throw unsupported(target, part.path, `takes text and pictures only, no ${what}`);
    }
  }
  return { text, images };
}

/** `names`: tool names by call id so far. Ollama identifies results by name. */
function writeMessage(message: JsonObject, path: string, names: Map<string, string>, target: EncodeTarget): JsonObject {
  const role = message['role'] === 'developer' ? 'system' : message['role'];
  if (role === 'function') throw unsupported(target, `${path}.role`, 'has no role function', 'Send the result with the role tool.');
  const { text, images } = contentOf(message, path, target);
  const calls = earlierCalls(message, path);
  for (const call of calls) names.set(call.id, call.name);
  return given({
    role,
    content: text,
    images: images.length === 0 ? undefined : images,
    thinking: typeof message['reasoning_content'] === 'string' ? message['reasoning_content'] : undefined,
    tool_calls:
      calls.length === 0 ? undefined : calls.map((call) => ({ id: call.id, function: { name: call.name, arguments: call.arguments } })),
    ...(role === 'tool' ? { tool_name: resultName(message, path, names), tool_call_id: message['tool_call_id'] } : {}),
  });
}

function toolsOf(body: ChatBody, target: EncodeTarget): Json | undefined {
  const tools = functionTools(body, target);
  const choice = toolChoiceOf(body, target);
  if (tools.length === 0 || choice?.mode === 'none') return undefined;
  if (choice?.mode === 'required' || choice?.mode === 'named')
    throw unsupported(target, 'tool_choice', 'cannot be made to call a tool', 'Send auto or none.');
  const allowed = choice?.mode === 'allowed' ? choice.names : undefined;
  return (body.tools ?? []).filter((_, index) => allowed === undefined || allowed.includes(tools[index]?.name ?? ''));
}

export function encodeRequest(request: ChatRequest, target: EncodeTarget): string {
  const { body } = request;
  const form = responseFormOf(body, target);
  const options = optionsOf(body);
  const names = new Map<string, string>();
  const encoded: JsonObject = given({
    model: target.model,
    messages: body.messages.map((message, index) => writeMessage(message, `messages[${index}]`, names, target)),
    stream: target.stream,
    tools: toolsOf(body, target),
    format: form === undefined ? undefined : form.kind === 'json' ? 'json' : form.schema,
    think: thinkOf(effortOf(body), target),
    logprobs: body['logprobs'] === true ? true : undefined,
    top_logprobs: body['logprobs'] === true ? body['top_logprobs'] : undefined,
    options: Object.keys(options).length === 0 ? undefined : options,
    ...remainingFields(body, target, taken),
  });
  return JSON.stringify(target.adjust === undefined ? encoded : target.adjust(encoded));
}

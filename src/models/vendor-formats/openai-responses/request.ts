/** A chat request in OpenAI's Responses format. */
import type { ChatBody, ChatRequest } from '../../../types/chat.ts';
import { isJsonObject, type JsonObject } from '../../../types/json.ts';
import type { EncodeTarget } from '../../../types/wire-format.ts';
import { effortOf, maxTokensOf, remainingFields, responseFormOf, stopsOf, unsupported } from '../../conversation/request-fields.ts';
import { pickFields } from '../../pick-fields.ts';
import { includedFor } from './include.ts';
import { writeItems } from './input-items.ts';
import { writeNative } from './native.ts';
import { writeTools } from './tools.ts';

/** Fields that are written below. */
const taken: ReadonlySet<string> = new Set([
  'max_tokens',
  'max_completion_tokens',
  'stop',
  'response_format',
  'reasoning_effort',
  'reasoning',
  'verbosity',
  'logprobs',
  'top_logprobs',
  'parallel_tool_calls',
  'web_search_options',
  'include',
  'text',
  'top_k',
]);

/** Fields with the same name and meaning in both of OpenAI's formats. */
const shared: ReadonlySet<string> = new Set([
  'temperature',
  'top_p',
  'user',
  'metadata',
  'store',
  'service_tier',
  'safety_identifier',
  'prompt_cache_key',
  'prompt_cache_retention',
]);

function writeText(body: ChatBody, target: EncodeTarget): JsonObject {
  const form = responseFormOf(body, target);
  const described = isJsonObject(body['response_format']) ? body['response_format']['json_schema'] : undefined;
  const format =
    form === undefined
      ? undefined
      : form.kind === 'json'
        ? { type: 'json_object' }
        : { ...(isJsonObject(described) ? described : {}), type: 'json_schema', name: form.name, schema: form.schema };
  const given = isJsonObject(body['text']) ? body['text'] : {};
  const verbosity = body['verbosity'];
  const text = {
    ...given,
    ...(format === undefined ? {} : { format }),
    ...(typeof verbosity === 'string' ? { verbosity } : {}),
  };
  return Object.keys(text).length === 0 ? {} : { text };
}

function writeReasoning(body: ChatBody): JsonObject {
  const effort = effortOf(body);
  const given = isJsonObject(body['reasoning']) ? body['reasoning'] : {};
  const reasoning = { ...given, ...(effort === undefined ? {} : { effort }) };
  return Object.keys(reasoning).length === 0 ? {} : { reasoning };
}

function writeInclude(body: ChatBody, target: EncodeTarget): JsonObject {
  if (body['logprobs'] !== true) return includedFor(body['include'], target);
  const top = body['top_logprobs'];
  const included = includedFor(body['include'], target, 'message.output_text.logprobs');
  return typeof top === 'number' && top > 0 ? { ...included, top_logprobs: top } : included;
}

function writeRequest(body: ChatBody, target: EncodeTarget): JsonObject {
  if (stopsOf(body) !== undefined) throw unsupported(target, 'stop', 'takes no stop sequences with this model', 'Leave it out.');
  const rest = remainingFields(body, target, new Set([...taken, ...shared]));
  // Anthropic's clients may send it.
  if (typeof body['top_k'] === 'number') target.warn(`top_k left out: ${target.vendor} has none`);
  const maxTokens = maxTokensOf(body);
  return {
    ...rest,
    // Nothing is stored at the vendor unless the caller asks for it.
    store: false,
    ...pickFields(body, shared),
    model: target.model,
    input: writeItems(body.messages, target),
    ...(target.stream ? { stream: true } : {}),
    ...(maxTokens === undefined ? {} : { max_output_tokens: maxTokens }),
    ...writeReasoning(body),
    ...writeText(body, target),
    ...writeInclude(body, target),
    ...writeTools(body, target),
  };
}

/** A request in this client format is sent as the caller wrote it. Throws `unsupported_parameter` for what the format cannot say. */
export function encodeRequest(request: ChatRequest, target: EncodeTarget): string {
  const native = request.native?.format === 'openai-responses' ? request.native : undefined;
  const body = native === undefined ? writeRequest(request.body, target) : writeNative(native, request.body, target);
  return JSON.stringify(target.adjust === undefined ? body : target.adjust(body));
}

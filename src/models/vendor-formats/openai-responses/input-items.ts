/** The messages of a chat request as input items of the Responses format. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { EncodeTarget } from '../../../types/wire-format.ts';
import { type PlacedPart, readContent } from '../../conversation/content-parts.ts';
import { unsupported } from '../../conversation/request-fields.ts';

function dataUrl({ mediaType, base64 }: { readonly mediaType: string; readonly base64: string }): string {
  return `data:${mediaType};base64,${base64}`;
}

function detailOf(part: Json | undefined): JsonObject {
  const image = isJsonObject(part) ? part['image_url'] : undefined;
  const detail = isJsonObject(image) ? image['detail'] : undefined;
  return typeof detail === 'string' ? { detail } : {};
}

function writePart(part: PlacedPart, given: Json | undefined, target: EncodeTarget): JsonObject {
  switch (part.kind) {
    case 'text':
      return { type: 'input_text', text: part.text };
    case 'image':
      return { type: 'input_image', image_url: part.url, ...detailOf(given) };
    case 'file':
      return { type: 'input_file', file_data: dataUrl(part.data), filename: part.name ?? 'file.pdf' };
    case 'audio':
      return isJsonObject(given) ? given : {};
    case 'unknown':
      // A file that lies elsewhere, named by its id or address.
      if (part.type === 'file' && isJsonObject(part.part) && isJsonObject(part.part['file'])) {
        const { file_id: id, file_url: url } = part.part['file'];
        if (typeof id === 'string') return { type: 'input_file', file_id: id };
        if (typeof url === 'string') return { type: 'input_file', file_url: url };
      }
      throw unsupported(target, part.path, `takes no content of type ${part.type}`, 'Leave it out.');
    case 'video':
      throw unsupported(target, part.path, 'takes no video', 'Send pictures of it.');
  }
}

/** Content of a user, an instruction or a tool result: a text as it is, or a list of parts. */
function writeInput(content: Json | undefined, path: string, target: EncodeTarget): Json {
  if (typeof content === 'string') return content;
  const given = Array.isArray(content) ? (content as readonly Json[]) : [];
  return readContent(content, path).map((part, index) => writePart(part, given[index], target));
}

/** What only this format can say of an earlier answer: encrypted reasoning, and items such as a web search. */
export function reasoningItems(message: JsonObject): JsonObject[] {
  const details = Array.isArray(message['reasoning_details']) ? (message['reasoning_details'] as readonly Json[]) : [];
  return details.filter(isJsonObject).flatMap(({ type, format, data, item }): JsonObject[] => {
    if (format !== 'openai-responses') return [];
    if (type === 'item' && isJsonObject(item)) return [item];
    if (typeof data !== 'string') return [];
    return [{ type: 'reasoning', ...(typeof item === 'string' ? { id: item } : {}), summary: [], encrypted_content: data }];
  });
}

function outputText(message: JsonObject, path: string, target: EncodeTarget): JsonObject[] {
  const parts = readContent(message['content'], path).map((part): JsonObject => {
    if (part.kind === 'text') return { type: 'output_text', text: part.text, annotations: [] };
    throw unsupported(target, part.path, 'takes text only from an assistant', 'Send it as a user.');
  });
  if (typeof message['refusal'] === 'string' && message['refusal'] !== '') parts.push({ type: 'refusal', refusal: message['refusal'] });
  return parts;
}

class ItemWriter {
  readonly items: JsonObject[] = [];
  readonly #target: EncodeTarget;
  /** Ids of earlier calls of custom tools: their results are items of another type. */
  readonly #custom = new Set<string>();

  constructor(target: EncodeTarget) {
    this.#target = target;
  }

  add(message: JsonObject, index: number): void {
    const path = `messages[${index}]`;
    switch (message['role']) {
      case 'system':
      case 'developer':
        this.items.push({ role: message['role'], content: writeInput(message['content'], path, this.#target) });
        return;
      case 'user':
        this.items.push({ role: 'user', content: writeInput(message['content'], path, this.#target) });
        return;
      case 'assistant':
        this.#assistant(message, path);
        return;
      case 'tool':
        this.#result(message, path);
        return;
      default:
        throw unsupported(this.#target, `${path}.role`, 'has no such role', 'Send results with the role tool.');
    }
  }

  #assistant(message: JsonObject, path: string): void {
    this.items.push(...reasoningItems(message));
    const content = outputText(message, path, this.#target);
    if (content.length > 0) this.items.push({ type: 'message', role: 'assistant', status: 'completed', content });
    const calls = Array.isArray(message['tool_calls']) ? (message['tool_calls'] as readonly Json[]) : [];
    calls.forEach((call, index) => this.#call(isJsonObject(call) ? call : {}, `${path}.tool_calls[${index}]`));
  }

  #call(call: JsonObject, path: string): void {
    const { id, function: called, custom } = call;
    const callId = typeof id === 'string' ? id : '';
    if (isJsonObject(custom)) {
      this.#custom.add(callId);
      this.items.push({ type: 'custom_tool_call', call_id: callId, name: custom['name'] ?? '', input: custom['input'] ?? '' });
      return;
    }
    if (!isJsonObject(called) || typeof called['name'] !== 'string')
      throw unsupported(this.#target, `${path}.function.name`, 'needs the name of an earlier call', 'Send it.');
    const given = called['arguments'];
    const text = typeof given === 'string' ? given : JSON.stringify(given ?? {});
    this.items.push({ type: 'function_call', call_id: callId, name: called['name'], arguments: text });
  }

  #result(message: JsonObject, path: string): void {
    const callId = typeof message['tool_call_id'] === 'string' ? message['tool_call_id'] : '';
    const type = this.#custom.has(callId) ? 'custom_tool_call_output' : 'function_call_output';
    this.items.push({ type, call_id: callId, output: writeInput(message['content'] ?? '', path, this.#target) });
  }
}

/** Throws `unsupported_parameter` for content that the format cannot hold. */
export function writeItems(messages: readonly JsonObject[], target: EncodeTarget): readonly JsonObject[] {
  const writer = new ItemWriter(target);
  messages.forEach((message, index) => {
    writer.add(message, index);
  });
  return writer.items;
}

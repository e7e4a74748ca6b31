/** Converts OpenAI messages to Gemini's contents: two roles, tool results identified by name, reasoning returned. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { EncodeTarget } from '../../../types/wire-format.ts';
import { dataOf } from '../../answer-images.ts';
import { type InlineData, type PlacedPart, readContent, readDataUrl } from '../../conversation/content-parts.ts';
import { unsupported } from '../../conversation/request-fields.ts';
import { earlierCalls, resultName } from '../../conversation/tool-use.ts';
import { checksSignatures, isGemma } from './generations.ts';

export interface Contents {
  readonly contents: readonly JsonObject[];
  readonly system: JsonObject | undefined;
}

/** Marks a call without a signature for models that check signatures. The call came from another vendor, or a client dropped the signature. */
const withoutSignature = 'skip_thought_signature_validator';

function inline({ mediaType, base64 }: InlineData): JsonObject {
  // Google knows MPEG audio by this name only.
  return { inlineData: { mimeType: mediaType === 'audio/mpeg' ? 'audio/mp3' : mediaType, data: base64 } };
}

function byAddress(url: string): JsonObject {
  const known = /^https?:\/\/(www\.)?(youtube\.com|youtu\.be)\//i.test(url);
  return { fileData: { fileUri: url, ...(known ? {} : { mimeType: 'video/mp4' }) } };
}

function writePart(part: PlacedPart, target: EncodeTarget): JsonObject {
  switch (part.kind) {
    case 'text':
      return { text: part.text };
    case 'image': {
      const data = readDataUrl(part.url, part.path);
      if (data === undefined) throw unsupported(target, part.path, 'takes no addresses of pictures', 'Send the picture as a data: URL.');
      return inline(data);
    }
    case 'video': {
      const data = readDataUrl(part.url, part.path);
      return data === undefined ? byAddress(part.url) : inline(data);
    }
    case 'audio':
    case 'file':
      return inline(part.data);
    case 'unknown':
      // Gemini's own parts have no type.
      if (isJsonObject(part.part) && part.part['type'] === undefined) return part.part;
      throw unsupported(target, part.path, `takes no part of type ${part.type}`);
  }
}

/** Signatures of an earlier answer's reasoning: by call id, and those without a call. */
function signatures(message: JsonObject): { readonly byCall: Map<string, string>; readonly loose: string | undefined } {
  const byCall = new Map<string, string>();
  let loose: string | undefined;
  const details = Array.isArray(message['reasoning_details']) ? (message['reasoning_details'] as readonly Json[]) : [];
  for (const detail of details) {
    if (!isJsonObject(detail) || detail['format'] !== 'gemini' || typeof detail['data'] !== 'string') continue;
    if (typeof detail['id'] === 'string') byCall.set(detail['id'], detail['data']);
    else loose = detail['data'];
  }
  return { byCall, loose };
}

/** Pictures that the model generated earlier. */
function writeImages(images: Json | undefined, target: EncodeTarget): JsonObject[] {
  if (!Array.isArray(images)) return [];
  return images.flatMap((image: Json) => {
    const url = isJsonObject(image) && isJsonObject(image['image_url']) ? image['image_url']['url'] : undefined;
    const data = typeof url === 'string' ? dataOf(url) : undefined;
    if (data !== undefined) return [{ inlineData: { mimeType: data.mediaType, data: data.base64 } }];
    target.warn(`images by address left out: ${target.vendor} takes none in an answer`);
    return [];
  });
}

function writeAnswer(message: JsonObject, path: string, target: EncodeTarget): JsonObject[] {
  const { byCall, loose } = signatures(message);
  const parts = readContent(message['content'], path)
    .filter((part) => part.kind !== 'text' || part.text !== '')
    .map((part) => writePart(part, target));
  parts.push(...writeImages(message['images'], target));
  if (loose !== undefined) {
    const last = parts.pop() ?? { text: '' };
    parts.push({ ...last, thoughtSignature: loose });
  }
  earlierCalls(message, path).forEach((call, index) => {
    const known = byCall.get(call.id) ?? (index === 0 && checksSignatures(target.model) ? withoutSignature : undefined);
    parts.push({
      functionCall: { name: call.name, args: call.arguments },
      ...(known === undefined ? {} : { thoughtSignature: known }),
    });
  });
  return parts;
}

/** A tool result as an object, the form that Gemini requires. */
function resultObject(text: string): JsonObject {
  try {
    const parsed: unknown = JSON.parse(text);
    if (isJsonObject(parsed)) return parsed;
  } catch {
    // Most results are plain text.
  }
  return { output: text };
}

interface Result {
  readonly order: number;
  readonly parts: readonly JsonObject[];
}

/** Results are in the order of their calls, which alone distinguishes two calls of one function. */
class Writer {
  readonly #target: EncodeTarget;
  readonly #contents: JsonObject[] = [];
  readonly #system: JsonObject[] = [];
  readonly #names = new Map<string, string>();
  #calls: readonly string[] = [];
  #results: Result[] = [];

  constructor(target: EncodeTarget) {
    this.#target = target;
  }

  add(message: JsonObject, index: number): void {
    const path = `messages[${index}]`;
    const role = message['role'];
    if (role === 'tool') {
      this.#addResult(message, path);
      return;
    }
    this.#flushResults();
    if (role === 'assistant') {
      const calls = earlierCalls(message, path);
      for (const call of calls) this.#names.set(call.id, call.name);
      this.#calls = calls.map((call) => call.id);
      this.#push('model', writeAnswer(message, path, this.#target));
    } else if (role === 'function') {
      throw unsupported(this.#target, `${path}.role`, 'has no role function', 'Send the result with the role tool.');
    } else {
      const parts = readContent(message['content'], path).map((part) => writePart(part, this.#target));
      if (role === 'system' || role === 'developer') this.#system.push(...parts);
      else this.#push('user', parts);
    }
  }

  #push(role: string, parts: readonly JsonObject[]): void {
    // Gemini refuses a turn without parts.
    if (parts.length > 0) this.#contents.push({ role, parts });
  }

  #addResult(message: JsonObject, path: string): void {
    const name = resultName(message, path, this.#names);
    const parts = readContent(message['content'], path);
    const text = parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');
    const others = parts.filter((part) => part.kind !== 'text').map((part) => writePart(part, this.#target));
    const order = this.#calls.findIndex((id) => id === message['tool_call_id']);
    const response = { functionResponse: { name, response: resultObject(text) } };
    this.#results.push({ order: order === -1 ? this.#calls.length : order, parts: [response, ...others] });
  }

  #flushResults(): void {
    const sorted = this.#results.toSorted((one, other) => one.order - other.order);
    this.#push(
      'user',
      sorted.flatMap((result) => result.parts),
    );
    this.#results = [];
  }

  end(): Contents {
    this.#flushResults();
    // Gemma has no system instructions: they precede the first turn.
    if (isGemma(this.#target.model) && this.#system.length > 0) {
      this.#contents.unshift({ role: 'user', parts: this.#system.splice(0) });
    }
    if (this.#contents.length === 0) {
      throw unsupported(this.#target, 'messages', 'answers no instructions alone', 'Send a message with the role user as well.');
    }
    return { contents: this.#contents, system: this.#system.length === 0 ? undefined : { parts: this.#system } };
  }
}

export function writeContents(messages: readonly JsonObject[], target: EncodeTarget): Contents {
  const writer = new Writer(target);
  messages.forEach((message, index) => {
    writer.add(message, index);
  });
  return writer.end();
}

/** Adapts a request of another client format to a vendor that does not support that format. */
import type { ChatBody, ChatRequest } from '../types/chat.ts';
import { GatewayError } from '../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../types/json.ts';
import type { Provider } from '../types/provider.ts';
import type { EncodeTarget } from '../types/wire-format.ts';
import { joinTextParts } from './text-parts.ts';

type Message = Record<string, Json | undefined>;

/** The text before the content of an error result, for vendors without a mark for errors. */
const errorMark = 'The tool reports an error: ';

function isTextPart(part: Json): boolean {
  return isJsonObject(part) && part['type'] === 'text';
}

function markError(content: Json | undefined): Json {
  if (Array.isArray(content)) return [{ type: 'text', text: errorMark.trimEnd() }, ...(content as readonly Json[])];
  return `${errorMark}${typeof content === 'string' ? content : ''}`;
}

function withoutMember(value: JsonObject, member: string): JsonObject {
  const { [member]: _left, ...rest } = value;
  return rest;
}

/** Writes messages for OpenAI-compatible vendors by the rules of the strictest one. */
class PlainMessages {
  readonly #provider: Pick<Provider, 'cacheControl'>;
  readonly #target: EncodeTarget;
  readonly #written: Message[] = [];
  /** Parts of tool results that are not text. These vendors accept them from a user only. */
  #moved: Json[] = [];

  constructor(provider: Pick<Provider, 'cacheControl'>, target: EncodeTarget) {
    this.#provider = provider;
    this.#target = target;
  }

  withoutCacheControl(value: JsonObject): JsonObject {
    if (value['cache_control'] === undefined || this.#provider.cacheControl === true) return value;
    this.#target.warn(`cache_control left out: ${this.#target.vendor} has none`);
    return withoutMember(value, 'cache_control');
  }

  add(given: JsonObject): void {
    const message: Message = { ...this.withoutCacheControl(given) };
    const { content, role } = message;
    if (Array.isArray(content)) {
      message['content'] = (content as readonly Json[]).map((part) => (isJsonObject(part) ? this.withoutCacheControl(part) : part));
    }
    if (role === 'tool') this.#addResult(message);
    else {
      if (this.#moved.length > 0) this.#placeMoved(message);
      else this.#push(message);
    }
  }

  #addResult(message: Message): void {
    const wrong = message['is_error'] === true;
    delete message['is_error'];
    const { content } = message;
    if (Array.isArray(content)) {
      const parts = content as readonly Json[];
      const other = parts.filter((part) => !isTextPart(part));
      if (other.length > 0) {
        this.#moved.push(
          {
            type: 'text',
            text: `From the result of the tool call ${typeof message['tool_call_id'] === 'string' ? message['tool_call_id'] : ''}:`,
          },
          ...other,
        );
        const text = parts.filter(isTextPart);
        message['content'] = text.length > 0 ? text : 'The result follows in the next message of the user.';
      }
    }
    if (wrong) message['content'] = markError(message['content']);
    this.#push(message);
  }

  /** Places them after the results: in the following user message, or in a new one. */
  #placeMoved(next: Message | null): void {
    const parts = this.#moved;
    this.#moved = [];
    if (next === null || next['role'] !== 'user') {
      this.#push({ role: 'user', content: parts });
      if (next !== null) this.#push(next);
      return;
    }
    const { content } = next;
    const own = Array.isArray(content)
      ? (content as readonly Json[])
      : [{ type: 'text', text: typeof content === 'string' ? content : '' }];
    this.#push({ ...next, content: [...parts, ...own] });
  }

  #push(message: Message): void {
    if (Array.isArray(message['content'])) {
      message['content'] = joinTextParts(message['content'] as readonly Json[], message['role'] === 'assistant' ? '' : '\n\n');
    }
    this.#written.push(message);
  }

  end(): readonly JsonObject[] {
    if (this.#moved.length > 0) this.#placeMoved(null);
    return this.#written;
  }
}

function plainBody(body: ChatBody, provider: Pick<Provider, 'cacheControl'>, target: EncodeTarget): ChatBody {
  const plain = new PlainMessages(provider, target);
  for (const message of body.messages) plain.add(message);
  const tools = body.tools?.map((tool) => plain.withoutCacheControl(tool));
  return { ...body, messages: plain.end(), ...(tools === undefined ? {} : { tools }) };
}

function hasFeatures({ responsesFeatures }: Pick<Provider, 'responsesFeatures'>, used: readonly string[] = []): boolean {
  return responsesFeatures === undefined || used.every((feature) => responsesFeatures.has(feature));
}

/** True for a request in the vendor's own format, with nothing in it that the vendor lacks. */
export function goesAsWritten({ native }: ChatRequest, format: string, provider: Pick<Provider, 'responsesFeatures'>): boolean {
  return native?.format === format && hasFeatures(provider, native.features);
}

/**
 * The request for this vendor. The same object when the vendor supports the caller's format or the request is OpenAI's. Throws
 * `unsupported_parameter` for features that need the caller's format, because another deployment may support it.
 */
export function fitTranslated(
  request: ChatRequest,
  vendor: {
    readonly format: string;
    readonly provider: Pick<Provider, 'cacheControl' | 'responsesFeatures'>;
    readonly target: EncodeTarget;
  },
): ChatRequest {
  const { native, translated } = request;
  const { target } = vendor;
  if (translated === undefined) return request;
  if (native !== undefined && goesAsWritten(request, vendor.format, vendor.provider)) {
    for (const field of native.leftOut ?? []) target.warn(`${field} left out: ${target.vendor} has none`);
    return request;
  }
  const demand = translated.demands[0];
  if (demand !== undefined) {
    throw new GatewayError(
      'unsupported_parameter',
      `${demand.param}: ${target.vendor} has no ${demand.need}. Leave it out or use another model.`,
      { param: demand.param, retryable: true },
    );
  }
  const { native: _own, ...plain } = request;
  for (const field of translated.leftOut) target.warn(`${field} left out: ${target.vendor} has none`);
  return vendor.format === 'openai' ? { ...plain, body: plainBody(request.body, vendor.provider, target) } : plain;
}

/** Adds the caller's headers that a vendor of the same format must receive. */
export function withNativeHeaders(
  headers: Readonly<Record<string, string>>,
  request: ChatRequest,
  format: string,
): Readonly<Record<string, string>> {
  const given = request.native?.format === format ? request.native.headers : undefined;
  if (given === undefined) return headers;
  const all: Record<string, string> = { ...headers };
  for (const [name, value] of Object.entries(given)) {
    // A list of names: the format's and the caller's, without duplicates.
    const names = `${all[name] ?? ''},${value}`.split(',').map((each) => each.trim());
    all[name] = name === 'anthropic-beta' ? [...new Set(names.filter((each) => each !== ''))].join(',') : value;
  }
  return all;
}

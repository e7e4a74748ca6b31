/** A request whose answer already has a beginning, which the vendor continues. */
import type { ChatBody, ChatRequest } from '../types/chat.ts';
import type { JsonObject } from '../types/json.ts';
import type { Prefill } from '../types/provider.ts';
import { estimateTokens } from './estimate-usage.ts';

const limits = ['max_tokens', 'max_completion_tokens'] as const;

/** The beginning already counts against the caller's limit. */
function withinLimit<T extends JsonObject>(body: T, text: string): T {
  const lowered = limits.flatMap((field): [string, number][] => {
    const most = body[field];
    return typeof most === 'number' ? [[field, Math.max(1, most - estimateTokens(text))]] : [];
  });
  return lowered.length === 0 ? body : { ...body, ...Object.fromEntries(lowered) };
}

/** The same request with `text` as the beginning of the answer, in this vendor's form. `text` must not end in white space. */
export function withPrefill(request: ChatRequest, text: string, { message, body: marks }: Prefill): ChatRequest {
  const { raw: _stale, native, ...rest } = request;
  const beginning: JsonObject = { role: 'assistant', content: text, ...message };
  const body: ChatBody = { ...withinLimit(request.body, text), ...marks, messages: [...request.body.messages, beginning] };
  // A body of the Responses format has no place for the beginning of an answer.
  const earlier = native?.body['messages'];
  if (native === undefined || !Array.isArray(earlier)) return { ...rest, body };
  const messages = [...(earlier as readonly JsonObject[]), { role: 'assistant', content: text }];
  return { ...rest, body, native: { ...native, body: { ...withinLimit(native.body, text), messages } } };
}

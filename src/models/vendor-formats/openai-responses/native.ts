/** A request that came in the Responses format: sent as the caller wrote it. Nothing is stored at the vendor, and reasoning comes encrypted instead. */
import type { ChatBody, ChatRequest } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { EncodeTarget } from '../../../types/wire-format.ts';
import { reasoningItems, writeItems } from './input-items.ts';
import { includedFor } from './include.ts';

type Native = NonNullable<ChatRequest['native']>;

/** Reasoning that the client dropped and Pailou remembered, by the call that it precedes. */
function rememberedReasoning(messages: readonly JsonObject[]): ReadonlyMap<string, readonly JsonObject[]> {
  const remembered = new Map<string, readonly JsonObject[]>();
  for (const message of messages) {
    const calls = message['tool_calls'];
    const first = Array.isArray(calls) ? (calls as readonly Json[])[0] : undefined;
    if (!isJsonObject(first) || typeof first['id'] !== 'string') continue;
    const items = reasoningItems(message);
    if (items.length > 0) remembered.set(first['id'], items);
  }
  return remembered;
}

function withReasoning(items: readonly Json[], messages: readonly JsonObject[]): readonly Json[] {
  const remembered = rememberedReasoning(messages);
  if (remembered.size === 0) return items;
  const sent = new Set(items.map((item) => (isJsonObject(item) ? item['encrypted_content'] : undefined)));
  return items.flatMap((item) => {
    const isCall = isJsonObject(item) && typeof item['type'] === 'string' && item['type'].endsWith('_call');
    const before = isCall && typeof item['call_id'] === 'string' ? remembered.get(item['call_id']) : undefined;
    return before === undefined ? [item] : [...before.filter((each) => !sent.has(each['encrypted_content'])), item];
  });
}

/** The effort as it was fitted to the model. */
function reasoningFor({ reasoning }: JsonObject, body: ChatBody): JsonObject {
  if (!isJsonObject(reasoning)) return {};
  const { effort, ...rest } = reasoning;
  const fitted = body['reasoning_effort'];
  const whole = { ...rest, ...(effort === undefined || fitted === undefined ? {} : { effort: fitted }) };
  return Object.keys(whole).length === 0 ? {} : { reasoning: whole };
}

export function writeNative({ body: native, earlier = [] }: Native, body: ChatBody, target: EncodeTarget): JsonObject {
  const { input, include, reasoning: _fitted, ...rest } = native;
  const given = Array.isArray(input) ? (input as readonly Json[]) : [{ role: 'user', content: input ?? '' }];
  return {
    ...rest,
    store: false,
    model: target.model,
    input: [...writeItems(earlier, target), ...withReasoning(given, body.messages)],
    ...(target.stream ? { stream: true } : {}),
    ...reasoningFor(native, body),
    ...includedFor(include, target),
  };
}

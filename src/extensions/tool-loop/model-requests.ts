/** Builds the model request of each round. The caller's native body lacks the loop's messages, so only its translation losses are kept. */
import type { ChatBody, ChatRequest } from '../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';
import type { Round, RoundCall } from './read-round.ts';
import type { Start } from './start-loop.ts';

function asRequest({ translated }: ChatRequest, body: ChatBody): ChatRequest {
  return translated === undefined ? { body } : { body, translated };
}

/** Drops a forced tool choice, which would force the same call in every round. Keeps the set of allowed tools. */
function unforced(choice: Json | undefined): JsonObject {
  if (choice === 'none') return { tool_choice: choice };
  if (!isJsonObject(choice) || choice['type'] !== 'allowed_tools') return {};
  const { allowed_tools: allowed } = choice;
  const free = { mode: 'auto' };
  return { tool_choice: { ...choice, ...(isJsonObject(allowed) ? { allowed_tools: { ...allowed, ...free } } : free) } };
}

/** The request of the first round. `tools` are all tools that the model is offered. */
export function firstRequest(request: ChatRequest, { messages, decided }: Start, tools: readonly JsonObject[]): ChatRequest {
  const { stream_options: _streamOptions, tool_choice: choice, ...plain } = request.body;
  const chosen = decided ? unforced(choice) : choice === undefined ? {} : { tool_choice: choice };
  return asRequest(request, { ...plain, ...chosen, model: request.body.model, messages, tools });
}

/** The request of a later round. The last one forbids tool calls. */
export function nextRequest(request: ChatRequest, messages: readonly JsonObject[], isLast: boolean): ChatRequest {
  const { tool_choice: choice, ...plain } = request.body;
  const chosen = isLast ? { tool_choice: 'none' } : unforced(choice);
  return asRequest(request, { ...plain, model: request.body.model, messages, ...chosen });
}

/** A tool call as part of an assistant message. */
export function asMessageCall({ id, name, arguments: given, kind }: RoundCall): JsonObject {
  if (kind === 'custom') return { id, type: 'custom', custom: { name, input: given } };
  return { id, type: 'function', function: { name, arguments: given === '' ? '{}' : given } };
}

/** The assistant message of a round, for the next request. */
export function assistantMessage({ text, thoughts, calls }: Round): JsonObject {
  return {
    role: 'assistant',
    content: text === '' ? null : text,
    ...thoughts,
    ...(calls.length === 0 ? {} : { tool_calls: calls.map(asMessageCall) }),
  };
}

/** What the model is asked in each round. The caller's own writing of the request does not hold what the loop adds, so only what it lost in translation stays. */
import type { ChatBody, ChatRequest } from '../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';
import type { Round, RoundCall } from './read-round.ts';
import type { Start } from './start-loop.ts';

function asRequest({ translated }: ChatRequest, body: ChatBody): ChatRequest {
  return translated === undefined ? { body } : { body, translated };
}

/** A forced choice would force the same call for ever. Which tools may be called, if any, stays. */
function unforced(choice: Json | undefined): JsonObject {
  if (choice === 'none') return { tool_choice: choice };
  if (!isJsonObject(choice) || choice['type'] !== 'allowed_tools') return {};
  const { allowed_tools: allowed } = choice;
  const free = { mode: 'auto' };
  return { tool_choice: { ...choice, ...(isJsonObject(allowed) ? { allowed_tools: { ...allowed, ...free } } : free) } };
}

/** That of the first round. `tools` are all that the model is offered. */
export function firstRequest(request: ChatRequest, { messages, decided }: Start, tools: readonly JsonObject[]): ChatRequest {
  const { stream_options: _streamOptions, tool_choice: choice, ...plain } = request.body;
  const chosen = decided ? unforced(choice) : choice === undefined ? {} : { tool_choice: choice };
  return asRequest(request, { ...plain, ...chosen, model: request.body.model, messages, tools });
}

/** That of a later round. In the last one no tool may be called. */
export function nextRequest(request: ChatRequest, messages: readonly JsonObject[], isLast: boolean): ChatRequest {
  const { tool_choice: choice, ...plain } = request.body;
  const chosen = isLast ? { tool_choice: 'none' } : unforced(choice);
  return asRequest(request, { ...plain, model: request.body.model, messages, ...chosen });
}

/** A call as it stands in an assistant message. */
export function asMessageCall({ id, name, arguments: given, kind }: RoundCall): JsonObject {
  if (kind === 'custom') return { id, type: 'custom', custom: { name, input: given } };
  return { id, type: 'function', function: { name, arguments: given === '' ? '{}' : given } };
}

/** What the model said and called in a round, as it reads it in the next one. */
export function assistantMessage({ text, thoughts, calls }: Round): JsonObject {
  return {
    role: 'assistant',
    content: text === '' ? null : text,
    ...thoughts,
    ...(calls.length === 0 ? {} : { tool_calls: calls.map(asMessageCall) }),
  };
}

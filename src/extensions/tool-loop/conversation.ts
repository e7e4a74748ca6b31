/** Tells the caller's own messages in a conversation from those that Pailou added. */
import { isServerToolCallId } from '../../models/client-formats/server-tool-events.ts';
import { isJsonObject, type JsonObject } from '../../types/json.ts';

/** The tool calls of an assistant message; empty for other messages. */
export function callsOf(message: JsonObject): readonly JsonObject[] {
  const calls: unknown = message['tool_calls'];
  return message['role'] === 'assistant' && Array.isArray(calls) && calls.every(isJsonObject) ? calls : [];
}

/** The tool calls that the caller executes itself. */
export function ownCallsOf(message: JsonObject): readonly JsonObject[] {
  return callsOf(message).filter(({ id }) => !isServerToolCallId(id));
}

/** True for the result of a server-side tool call that a client format has shown to the client. */
export function isServerToolResult(message: JsonObject): boolean {
  return message['role'] === 'tool' && isServerToolCallId(message['tool_call_id']);
}

/** True for system and developer messages, which may stand anywhere. */
export function isInstruction({ role }: JsonObject): boolean {
  return role === 'system' || role === 'developer';
}

/** True for the caller's own messages. Their count does not depend on the client format or on what client libraries drop. */
export function isOfCaller(message: JsonObject): boolean {
  return message['role'] === 'user' || (message['role'] === 'tool' && !isServerToolResult(message));
}

/** The number of messages that are the caller's own. */
export function countCallerMessages(messages: readonly JsonObject[]): number {
  return messages.filter(isOfCaller).length;
}

/** The index after the first `count` messages of the caller and the instructions that follow them. */
export function indexAfterCaller(messages: readonly JsonObject[], count: number): number {
  let seen = 0;
  const place = count === 0 ? 0 : messages.findIndex((message) => isOfCaller(message) && ++seen === count) + 1;
  const next = messages.findIndex((message, index) => index >= place && !isInstruction(message));
  return next === -1 ? messages.length : next;
}

/** The messages after the answer at index `place`. */
export function messagesAfterAnswer(messages: readonly JsonObject[], place: number): readonly JsonObject[] {
  const isOfAnswer = (message: JsonObject): boolean =>
    isServerToolResult(message) || (message['role'] === 'assistant' && ownCallsOf(message).length === 0);
  const next = messages.findIndex((message, index) => index >= place && !isOfAnswer(message));
  return next === -1 ? [] : messages.slice(next);
}

/** True when the last message is an assistant's text answer. */
export function endsWithAnswer(messages: readonly JsonObject[]): boolean {
  const last = messages.at(-1);
  // Some clients send an absent field as null.
  return last?.['role'] === 'assistant' && (last['tool_calls'] ?? null) === null;
}

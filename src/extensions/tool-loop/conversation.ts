/** What in a conversation the caller said and did itself, and where the answers of Pailou stand beside it. */
import { isServerToolCallId } from '../../models/client-formats/server-tool-events.ts';
import { isJsonObject, type JsonObject } from '../../types/json.ts';

/** The calls that an assistant message makes; none for other messages. */
export function callsOf(message: JsonObject): readonly JsonObject[] {
  const calls: unknown = message['tool_calls'];
  return message['role'] === 'assistant' && Array.isArray(calls) && calls.every(isJsonObject) ? calls : [];
}

/** Those that the caller itself carries out. */
export function ownCallsOf(message: JsonObject): readonly JsonObject[] {
  return callsOf(message).filter(({ id }) => !isServerToolCallId(id));
}

/** The result of a call that Pailou carried out and a face told of. */
export function isServerToolResult(message: JsonObject): boolean {
  return message['role'] === 'tool' && isServerToolCallId(message['tool_call_id']);
}

/** Instructions for the model, which stand anywhere. */
export function isInstruction({ role }: JsonObject): boolean {
  return role === 'system' || role === 'developer';
}

/** What the caller itself said and did: counted the same whatever faces tell and libraries leave out. */
export function isOfCaller(message: JsonObject): boolean {
  return message['role'] === 'user' || (message['role'] === 'tool' && !isServerToolResult(message));
}

/** How many messages are the caller's own words and results. */
export function countCallerMessages(messages: readonly JsonObject[]): number {
  return messages.filter(isOfCaller).length;
}

/** The place behind the first `count` messages of the caller and the instructions that follow them. */
export function indexAfterCaller(messages: readonly JsonObject[], count: number): number {
  let seen = 0;
  const place = count === 0 ? 0 : messages.findIndex((message) => isOfCaller(message) && ++seen === count) + 1;
  const next = messages.findIndex((message, index) => index >= place && !isInstruction(message));
  return next === -1 ? messages.length : next;
}

/** What comes behind the answer that was given at `place`. */
export function messagesAfterAnswer(messages: readonly JsonObject[], place: number): readonly JsonObject[] {
  const isOfAnswer = (message: JsonObject): boolean =>
    isServerToolResult(message) || (message['role'] === 'assistant' && ownCallsOf(message).length === 0);
  const next = messages.findIndex((message, index) => index >= place && !isOfAnswer(message));
  return next === -1 ? [] : messages.slice(next);
}

/** True if the conversation ends with an answer in words. */
export function endsWithAnswer(messages: readonly JsonObject[]): boolean {
  const last = messages.at(-1);
  // Some clients write an absent field as null.
  return last?.['role'] === 'assistant' && (last['tool_calls'] ?? null) === null;
}

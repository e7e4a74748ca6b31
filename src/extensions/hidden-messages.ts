/**
 * Messages that a caller does not see: the rounds of server-side tools before and beside calls of its own functions.
 * Kept for an hour and found again, on any node, by the ids of the caller's calls.
 */
import type { ChatStates, StateOwner } from '../types/chat-state.ts';
import { isJsonObject, type Json, type JsonObject } from '../types/json.ts';

function sorted(value: Json | undefined): Json {
  if (Array.isArray(value)) return value.map((each: Json) => sorted(each));
  if (!isJsonObject(value)) return value ?? null;
  return Object.entries(value)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, inner]) => [key, sorted(inner)]);
}

/** Client libraries parse arguments and write them anew: space and order do not count. */
function comparable(given: unknown): Json {
  if (typeof given !== 'string' || given === '') return [];
  try {
    return sorted(JSON.parse(given) as Json);
  } catch {
    return given;
  }
}

/** What the caller's own calls must be: vendors give the same id again in other conversations. */
function fingerprintOf(calls: readonly JsonObject[]): string {
  return JSON.stringify(
    calls.map((call) => {
      const body = isJsonObject(call['function']) ? call['function'] : isJsonObject(call['custom']) ? call['custom'] : {};
      return [call['id'] ?? null, body['name'] ?? null, comparable(body['arguments'] ?? body['input'])];
    }),
  );
}

function callsOf(message: JsonObject): readonly JsonObject[] {
  const calls: unknown = message['tool_calls'];
  return message['role'] === 'assistant' && Array.isArray(calls) && calls.every(isJsonObject) ? calls : [];
}
const idOf = (call: JsonObject | undefined): string | null => (typeof call?.['id'] === 'string' ? call['id'] : null);

/** `calls` are the caller's own in its shape; `messages` what stands in the place of its message with them. */
export async function keepHidden(
  states: ChatStates,
  owner: StateOwner,
  calls: readonly JsonObject[],
  messages: readonly JsonObject[],
): Promise<void> {
  const ids = calls.map(idOf).filter((id) => id !== null);
  if (ids.length > 0) await states.keep(owner, ids, { fingerprint: fingerprintOf(calls), messages });
}

/** The conversation with each shortened assistant message replaced by the hidden ones. */
export async function restoreHidden(
  states: ChatStates,
  owner: StateOwner,
  messages: readonly JsonObject[],
): Promise<readonly JsonObject[]> {
  const ids = messages.map((message) => idOf(callsOf(message)[0])).filter((id) => id !== null);
  if (ids.length === 0) return messages;
  const known = await states.read(owner, ids);
  return messages.flatMap((message) => {
    const calls = callsOf(message);
    const hidden = known.get(idOf(calls[0]) ?? '');
    if (hidden === undefined || hidden['fingerprint'] !== fingerprintOf(calls)) return [message];
    return hidden['messages'] as readonly JsonObject[];
  });
}

/**
 * Messages that a caller does not see: the rounds of server-side tools before and beside calls of its own functions.
 * Kept for an hour and found again, on any node, by the ids of the caller's calls. Where a face has told of the same rounds and the
 * client sends them back, what is kept takes the place of what was told.
 */
import { isToldId } from '../../models/faces/told-calls.ts';
import type { ChatStates, StateOwner } from '../../types/chat-state.ts';
import { decidedMessages } from './approvals.ts';
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';

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
/** Those that the caller itself carries out. */
function ownCallsOf(message: JsonObject): readonly JsonObject[] {
  return callsOf(message).filter(({ id }) => !isToldId(id));
}
const idOf = (call: JsonObject | undefined): string | null => (typeof call?.['id'] === 'string' ? call['id'] : null);

function isToldResult(message: JsonObject): boolean {
  return message['role'] === 'tool' && isToldId(message['tool_call_id']);
}

/** Whether a face has told of a call of ours between this message and what the caller says next. */
function isToldBehind(messages: readonly JsonObject[], at: number): boolean {
  for (const message of messages.slice(at + 1)) {
    if (message['role'] === 'user') return false;
    if (callsOf(message).some(({ id }) => isToldId(id))) return true;
  }
  return false;
}

/** The conversation without the told rounds at its end, and what was said between them. */
export function withoutTold(messages: readonly JsonObject[]): readonly JsonObject[] {
  let end = messages.length;
  for (let at = end - 1; at >= 0; at--) {
    const message = messages[at] as JsonObject;
    const isOfAnswer = isToldResult(message) || (message['role'] === 'assistant' && ownCallsOf(message).length === 0);
    if (!isOfAnswer) break;
    if (isToldResult(message) || callsOf(message).length > 0) end = at;
  }
  return messages.slice(0, end);
}

/**
 * Without calls that wait for a person beside functions of the caller's own, and of which no result is known: no vendor takes a call
 * without one. As many messages as before.
 */
export function withoutUnanswered(messages: readonly JsonObject[], isServerTool: (name: string) => boolean): readonly JsonObject[] {
  return messages.map((message, index) => {
    const calls = callsOf(message);
    const isOurs = ({ function: called }: JsonObject): boolean =>
      isJsonObject(called) && typeof called['name'] === 'string' && isServerTool(called['name']);
    if (!calls.some(isOurs)) return message;
    const behind = messages.slice(index + 1);
    const next = behind.findIndex(({ role }) => role !== 'tool');
    const answered = new Set(behind.slice(0, next === -1 ? behind.length : next).map((each) => each['tool_call_id']));
    const kept = calls.filter((call) => !isOurs(call) || answered.has(call['id']));
    if (kept.length === calls.length) return message;
    const { tool_calls: _all, ...rest } = message;
    return kept.length > 0 ? { ...rest, tool_calls: kept } : { ...rest, content: rest['content'] ?? '' };
  });
}

/** A round in which the caller's own functions are called. */
export interface HiddenRound {
  /** The caller's own calls, in its shape and under ids of our own. */
  readonly calls: readonly JsonObject[];
  /** What stands in the place of the caller's message with them. */
  readonly messages: readonly JsonObject[];
  /** The vendor's id for each of ours: vendors count from the start again in every conversation. */
  readonly ids: Readonly<Record<string, string>>;
  /** The run in which calls wait for a person beside these; null for none. */
  readonly waits: string | null;
}

export async function keepHidden(
  states: ChatStates,
  owner: StateOwner,
  { calls, messages, ids: vendorIds, waits }: HiddenRound,
): Promise<void> {
  const ids = calls.map(idOf).filter((id) => id !== null);
  if (ids.length > 0) await states.keep(owner, ids, { fingerprint: fingerprintOf(calls), messages, ids: vendorIds, waits });
}

/** The conversation with each shortened assistant message replaced by the hidden ones, and with what was decided since. */
export async function restoreHidden(
  states: ChatStates,
  owner: StateOwner,
  messages: readonly JsonObject[],
): Promise<readonly JsonObject[]> {
  const ids = messages.map((message) => idOf(ownCallsOf(message)[0])).filter((id) => id !== null);
  if (ids.length === 0) return messages;
  const known = await states.read(owner, ids);
  const waits = [...known.values()].map((hidden) => hidden['waits']).filter((run) => typeof run === 'string');
  const decided = await decidedMessages(states, owner, waits);
  const vendorIds = new Map<Json | undefined, string>();
  let restored: JsonObject[] = [];
  let isRestored = false;
  for (const [at, message] of messages.entries()) {
    const calls = ownCallsOf(message);
    const hidden = known.get(idOf(calls[0]) ?? '');
    if (hidden !== undefined && hidden['fingerprint'] === fingerprintOf(calls)) {
      restored = [
        ...withoutTold(restored),
        ...(hidden['messages'] as readonly JsonObject[]),
        // A face that tells calls of its own tells this one too, behind.
        ...(isToldBehind(messages, at) ? [] : ((typeof hidden['waits'] === 'string' ? decided.get(hidden['waits']) : undefined) ?? [])),
      ];
      for (const [shown, own] of Object.entries(hidden['ids'] as Readonly<Record<string, string>>)) vendorIds.set(shown, own);
      isRestored = true;
      continue;
    }
    isRestored &&= message['role'] === 'tool';
    // What was told of the round in which the caller's calls were made is in what was kept.
    const vendorId = vendorIds.get(message['tool_call_id']);
    if (!isRestored || !isToldResult(message)) restored.push(vendorId === undefined ? message : { ...message, tool_call_id: vendorId });
  }
  return restored;
}

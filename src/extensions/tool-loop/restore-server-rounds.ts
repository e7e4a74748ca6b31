/**
 * Restores the conversation as the model knows it: stored rounds replace the shortened messages that the client saw.
 * Where a client sends server-side calls back, the stored ones replace them.
 */
import { isApprovedCallId } from '../../models/client-formats/server-tool-events.ts';
import type { ToolLoopStates, ToolLoopOwner } from '../../types/tool-loop-state.ts';
import type { Json, JsonObject } from '../../types/json.ts';
import { callsOf, isInstruction, isOfCaller, isServerToolResult } from './conversation.ts';
import { findServerRounds, type StoredServerRounds } from './server-rounds.ts';

/** Ids of server-side calls whose results are stored. */
type KeptIds = ReadonlySet<unknown>;

/** The part of a replaced message that is still needed: instructions, and decided calls that are not stored. */
function stillNeeded(message: JsonObject, keptIds: KeptIds): JsonObject[] {
  if (isInstruction(message)) return [message];
  const stays = (id: Json | undefined): boolean => isApprovedCallId(id) && !keptIds.has(id);
  if (isServerToolResult(message)) return stays(message['tool_call_id']) ? [message] : [];
  const calls = callsOf(message).filter(({ id }) => stays(id));
  return calls.length === 0 ? [] : [{ ...message, tool_calls: calls }];
}

/** The message without calls that are stored; null when nothing is left. */
function withoutKept(message: JsonObject, keptIds: KeptIds): JsonObject | null {
  if (message['role'] === 'tool') return keptIds.has(message['tool_call_id']) ? null : message;
  const calls = callsOf(message);
  const left = calls.filter(({ id }) => !keptIds.has(id));
  if (left.length === calls.length) return message;
  const { tool_calls: _all, ...rest } = message;
  if (left.length > 0) return { ...rest, tool_calls: left };
  return (rest['content'] ?? '') === '' ? null : rest;
}

/** Removes undecided calls: no vendor accepts a call without a result. */
function withoutUnanswered(messages: readonly JsonObject[], ownIds: ReadonlySet<unknown>): readonly JsonObject[] {
  const place = messages.findLastIndex(({ role }) => role === 'assistant');
  const message = messages[place];
  if (message === undefined) return messages;
  const answered = new Set(messages.slice(place + 1).map((each) => each['tool_call_id']));
  const calls = callsOf(message);
  const left = calls.filter(({ id }) => answered.has(id) || ownIds.has(id));
  return left.length === calls.length ? messages : messages.with(place, { ...message, tool_calls: left });
}

function messagesOf({ messages, outcome, vendorIds }: StoredServerRounds): readonly JsonObject[] {
  return withoutUnanswered([...messages, ...(outcome?.messages ?? [])], new Set(Object.values(vendorIds)));
}

/** Replaces each message that has stored rounds by those rounds. */
function insertRounds(messages: readonly JsonObject[], found: ReadonlyMap<JsonObject, StoredServerRounds>, keptIds: KeptIds): JsonObject[] {
  let restored: JsonObject[] = [];
  /** The output length after each message of the caller. */
  const placesBehindCaller = [0];
  const vendorIds = new Map<unknown, string>();
  let isBehindRounds = false;
  for (const message of messages) {
    const rounds = found.get(message);
    if (rounds !== undefined) {
      const from = placesBehindCaller.at(-1 - rounds.hiddenCallerMessages) ?? restored.length;
      const needed = restored.slice(from).flatMap((each) => stillNeeded(each, keptIds));
      restored = [...restored.slice(0, from), ...needed, ...messagesOf(rounds)];
      for (const [shown, vendorId] of Object.entries(rounds.vendorIds)) vendorIds.set(shown, vendorId);
      isBehindRounds = true;
      continue;
    }
    isBehindRounds &&= message['role'] === 'tool';
    // Results of the same round are part of the stored messages.
    if (isBehindRounds && isServerToolResult(message)) continue;
    const vendorId = vendorIds.get(message['tool_call_id']);
    const left = withoutKept(message, keptIds);
    if (left !== null) restored.push(vendorId === undefined ? left : { ...left, tool_call_id: vendorId });
    if (isOfCaller(message)) placesBehindCaller.push(restored.length);
  }
  return restored;
}

export interface Restored {
  readonly messages: readonly JsonObject[];
  /** Runs with stored rounds that also have, or had, pending calls. */
  readonly heldRuns: ReadonlySet<string>;
}

/** Replaces shortened assistant messages by the stored rounds and adds later decisions. Rejects with `storage_unavailable`. */
export async function restoreServerRounds(
  states: ToolLoopStates,
  owner: ToolLoopOwner,
  messages: readonly JsonObject[],
): Promise<Restored> {
  const found = await findServerRounds(states, owner, messages);
  if (found.size === 0) return { messages, heldRuns: new Set() };
  const all = [...found.values()];
  const keptIds = new Set(all.flatMap(({ decidedIds, outcome }) => [...decidedIds, ...(outcome?.decidedIds ?? [])]));
  const heldRuns = all.map(({ heldRun }) => heldRun).filter((run) => run !== null);
  return { messages: insertRounds(messages, found, keptIds), heldRuns: new Set(heldRuns) };
}

/**
 * Messages that a caller does not see: the rounds of server-side tools before and beside calls of its own functions.
 * Kept for an hour and found again, on any node, by the ids of the caller's calls. Where a face has told of the same rounds and the
 * client sends them back, what is kept takes the place of what was told.
 */
import { isDecidedId } from '../../models/faces/told-calls.ts';
import type { ChatStates, StateOwner } from '../../types/chat-state.ts';
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';
import { callsOf, isInstruction, isOfCaller, isToldResult, ownCallsOf } from './conversation.ts';
import { type HeldOutcome, heldOutcomes } from './held-calls.ts';

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

const idOf = (call: JsonObject | undefined): string | null => (typeof call?.['id'] === 'string' ? call['id'] : null);

/** Of what kept rounds take the place of: instructions, and told calls that were decided and are in nothing that is kept. */
function stillNeeded(message: JsonObject, covered: ReadonlySet<string>): JsonObject[] {
  if (isInstruction(message)) return [message];
  const stays = (id: Json | undefined): boolean => isDecidedId(id) && !covered.has(id as string);
  if (isToldResult(message)) return stays(message['tool_call_id']) ? [message] : [];
  const calls = callsOf(message).filter(({ id }) => stays(id));
  return calls.length === 0 ? [] : [{ ...message, tool_calls: calls }];
}

/** The message without told calls that are covered; null if nothing is left of it. */
function withoutCovered(message: JsonObject, covered: ReadonlySet<string>): JsonObject | null {
  const isCovered = (id: Json | undefined): boolean => typeof id === 'string' && covered.has(id);
  if (message['role'] === 'tool') return isCovered(message['tool_call_id']) ? null : message;
  const calls = callsOf(message);
  const left = calls.filter(({ id }) => !isCovered(id));
  if (left.length === calls.length) return message;
  const { tool_calls: _all, ...rest } = message;
  if (left.length > 0) return { ...rest, tool_calls: left };
  return (rest['content'] ?? '') === '' ? null : rest;
}

/** Without held calls of which nothing is known yet: no vendor takes a call without a result. */
function withoutUnanswered(messages: readonly JsonObject[], own: ReadonlySet<string>): readonly JsonObject[] {
  const at = messages.findLastIndex(({ role }) => role === 'assistant');
  const message = messages[at];
  if (message === undefined) return messages;
  const answered = new Set(messages.slice(at + 1).map((each) => each['tool_call_id']));
  const calls = callsOf(message);
  const kept = calls.filter(({ id }) => answered.has(id) || own.has(id as string));
  return kept.length === calls.length ? messages : messages.with(at, { ...message, tool_calls: kept });
}

/** A round in which the caller's own functions are called. */
export interface HiddenRound {
  /** The caller's own calls, in its shape and under ids of our own. */
  readonly calls: readonly JsonObject[];
  /** What stands in the place of the caller's message with them. */
  readonly messages: readonly JsonObject[];
  /** The vendor's id for each of ours: vendors count from the start again in every conversation. */
  readonly ids: Readonly<Record<string, string>>;
  /** The run that holds calls beside these; null for none. */
  readonly heldRun: string | null;
  /** Ids of calls that were decided before, whose results are in `messages`. */
  readonly decidedIds: readonly string[];
  /** So many messages of the caller before it are in `messages` too. */
  readonly hiddenCallerMessages: number;
}

/** As it is stored. During an upgrade nodes of another version read it too: no name may change. */
interface StoredRound extends Pick<HiddenRound, 'messages' | 'ids'> {
  readonly fingerprint: string;
  readonly waits: string | null;
  readonly covers: readonly string[];
  readonly swallowed: number;
}

/** Rejects with `storage_unavailable`. */
export async function keepHidden(states: ChatStates, owner: StateOwner, { calls, messages, ids, ...round }: HiddenRound): Promise<void> {
  // By the first alone: the others must be there too, and each more would be a copy of all that is hidden.
  const id = idOf(calls[0]);
  if (id === null) return;
  const { heldRun: waits, decidedIds: covers, hiddenCallerMessages: swallowed } = round;
  const stored: StoredRound = { fingerprint: fingerprintOf(calls), messages, ids, waits, covers, swallowed };
  await states.keep(owner, [id], stored as unknown as JsonObject);
}

export interface Restored {
  readonly messages: readonly JsonObject[];
  /** The runs whose rounds were found with the caller's calls, and which hold more calls, or held them. */
  readonly heldRuns: ReadonlySet<string>;
}

interface Found {
  readonly hidden: Omit<HiddenRound, 'calls'>;
  readonly outcome: HeldOutcome | undefined;
}

/** What is kept of the messages with calls of the caller's own. */
async function findHidden(states: ChatStates, owner: StateOwner, messages: readonly JsonObject[]): Promise<ReadonlyMap<JsonObject, Found>> {
  const calls = new Map(messages.map((message) => [message, ownCallsOf(message)]));
  const ids = [...calls.values()].map(([first]) => idOf(first)).filter((id) => id !== null);
  if (ids.length === 0) return new Map();
  const known = await states.read(owner, ids);
  const heldRuns = [...known.values()].map((state) => state['waits']).filter((run) => typeof run === 'string');
  const decided = await heldOutcomes(states, owner, heldRuns);
  return new Map(
    [...calls].flatMap(([message, own]): [JsonObject, Found][] => {
      const state = known.get(idOf(own[0]) ?? '');
      if (state === undefined || state['fingerprint'] !== fingerprintOf(own)) return [];
      const {
        messages: hidden,
        ids: vendorIds,
        waits: heldRun,
        covers: decidedIds,
        swallowed: hiddenCallerMessages,
      } = state as unknown as StoredRound;
      const round = { messages: hidden, ids: vendorIds, heldRun, decidedIds, hiddenCallerMessages };
      return [[message, { hidden: round, outcome: decided.get(heldRun ?? '') }]];
    }),
  );
}

/** The conversation with each shortened assistant message replaced by the hidden ones, and with what was decided since. */
export async function restoreHidden(states: ChatStates, owner: StateOwner, messages: readonly JsonObject[]): Promise<Restored> {
  const found = await findHidden(states, owner, messages);
  if (found.size === 0) return { messages, heldRuns: new Set() };
  const all = [...found.values()];
  const covered = new Set(all.flatMap(({ hidden, outcome }) => [...hidden.decidedIds, ...(outcome?.decidedIds ?? [])]));
  const vendorIds = new Map<Json | undefined, string>();
  let restored: JsonObject[] = [];
  /** How much there was behind each message of the caller. */
  const marks = [0];
  let isRestored = false;
  for (const message of messages) {
    const known = found.get(message);
    if (known !== undefined) {
      const { hidden, outcome } = known;
      const own = new Set(Object.values(hidden.ids));
      const from = marks.at(-1 - hidden.hiddenCallerMessages) ?? restored.length;
      const replaced = restored.slice(from).flatMap((each) => stillNeeded(each, covered));
      const kept = withoutUnanswered([...hidden.messages, ...(outcome?.messages ?? [])], own);
      restored = [...restored.slice(0, from), ...replaced, ...kept];
      for (const [shown, vendorId] of Object.entries(hidden.ids)) vendorIds.set(shown, vendorId);
      isRestored = true;
      continue;
    }
    isRestored &&= message['role'] === 'tool';
    // What was told of the round in which the caller's calls were made is in what was kept.
    if (isRestored && isToldResult(message)) continue;
    const vendorId = vendorIds.get(message['tool_call_id']);
    const left = withoutCovered(message, covered);
    if (left !== null) restored.push(vendorId === undefined ? left : { ...left, tool_call_id: vendorId });
    if (isOfCaller(message)) marks.push(restored.length);
  }
  const heldRuns = all.map(({ hidden }) => hidden.heldRun).filter((run) => run !== null);
  return { messages: restored, heldRuns: new Set(heldRuns) };
}

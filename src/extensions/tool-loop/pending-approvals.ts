/**
 * Calls that wait for an approval. The calls of one answer form a group. The group is stored with the hidden rounds
 * and found by the ids that the client got. The results are stored too.
 */
import { approvedCallId, approvalId } from '../../models/client-formats/server-tool-events.ts';
import type { ToolLoopStates, ToolLoopOwner } from '../../types/tool-loop-state.ts';
import type { JsonObject } from '../../types/json.ts';
import type { RoundCall } from './read-round.ts';
import { type ServerCall, toolMessage } from './server-call.ts';

/** A call that waits, or waited, for an approval. */
export interface PendingCall extends ServerCall {
  readonly id: string;
}

/** The stored form. The deciding request must name the tool again. */
export interface StoredPendingCall {
  readonly id: string;
  readonly call: RoundCall;
  readonly capability: string;
}

/** The pending calls of one answer; they are decided together. */
export interface ApprovalGroup {
  readonly calls: readonly StoredPendingCall[];
  /** The number of the caller's own messages. */
  readonly callerMessages: number;
  /** The messages after them. Empty for calls pending beside the caller's own calls, which are stored with those. */
  readonly hidden: readonly JsonObject[];
  /** The number of the caller's messages within `hidden`. */
  readonly hiddenCallerMessages: number;
  /** Ids of calls that were decided earlier; their results are in `hidden`. */
  readonly decidedIds: readonly string[];
  /** The claim of a request: since when, and the ids of the allowed calls. */
  readonly taken?: { readonly at: number; readonly yes: readonly string[] };
  /** The results, once the calls were executed. */
  readonly done?: GroupEnd;
}

/** The stored form. Nodes of another version read it during an upgrade: no field may be renamed. */
interface StoredGroup extends Omit<ApprovalGroup, 'callerMessages' | 'hiddenCallerMessages' | 'decidedIds'> {
  readonly at: number;
  readonly swallowed: number;
  readonly covers: readonly string[];
}

/** The outcome of a group. */
export interface GroupEnd {
  /** Ids of the allowed calls. */
  readonly yes: readonly string[];
  /** The tool messages of all its calls. */
  readonly messages: readonly JsonObject[];
  /** The errors of the allowed calls, in their order. */
  readonly errors?: CallErrors;
}

/** One entry a call: an error code, or null for a success. */
export type CallErrors = readonly (string | null)[];

/** After this time in milliseconds the claim is void: its node has died. */
const mostMs = 10 * 60_000;

export const unknownEnd = 'The call was interrupted; it is not known whether it took effect.';
export const interrupted = 'interrupted';
export const refusal = 'The person did not allow this call.';

const keyPrefix = 'apg_';
const keyOf = (run: string): string => keyPrefix + run;

/** The id of the run that stored the group with this key. */
export function runOfGroup(key: string): string {
  return key.slice(keyPrefix.length);
}

/** Rejects with `storage_unavailable`. */
export async function storeGroup(states: ToolLoopStates, owner: ToolLoopOwner, key: string, group: ApprovalGroup): Promise<void> {
  const { callerMessages: at, hiddenCallerMessages: swallowed, decidedIds: covers, ...same } = group;
  await states.keep(owner, [key], { ...same, at, swallowed, covers } satisfies StoredGroup as unknown as JsonObject);
}

/** Reads the groups with these keys. Rejects with `storage_unavailable`. */
export async function readGroups(
  states: ToolLoopStates,
  owner: ToolLoopOwner,
  keys: readonly string[],
): Promise<ReadonlyMap<string, ApprovalGroup>> {
  const stored = await states.read(owner, keys);
  return new Map(
    [...stored].map(([key, state]) => {
      const { at, swallowed, covers, ...same } = state as unknown as StoredGroup;
      return [key, { ...same, callerMessages: at, hiddenCallerMessages: swallowed, decidedIds: covers }];
    }),
  );
}

/** Stores calls until they are decided. Their ids contain `run`, so that the stored response can be found by them. */
export async function storePendingCalls(
  states: ToolLoopStates,
  owner: ToolLoopOwner,
  run: string,
  calls: readonly ServerCall[],
  place: Pick<ApprovalGroup, 'callerMessages' | 'hidden' | 'hiddenCallerMessages' | 'decidedIds'>,
): Promise<readonly PendingCall[]> {
  if (calls.length === 0) return [];
  const held = calls.map((each, index) => ({ ...each, id: approvalId(run, index) }));
  const kept = held.map(({ id, call, tool }) => ({ id, call, capability: tool.capability }));
  const group = keyOf(run);
  await storeGroup(states, owner, group, { calls: kept, ...place });
  await states.keep(
    owner,
    held.map(({ id }) => id),
    { group },
  );
  return held;
}

/** The outcome of a group. Undefined while it is undecided or being executed. */
export function endOfGroup({ calls, taken, done }: ApprovalGroup): GroupEnd | undefined {
  if (done !== undefined || taken === undefined || Date.now() - taken.at < mostMs) return done;
  const messages = calls.map(({ id, call }) => toolMessage(call, taken.yes.includes(id) ? unknownEnd : refusal));
  return { yes: taken.yes, messages, errors: taken.yes.map(() => interrupted) };
}

/** The ids that clients see for the calls of a decided group. */
export function decidedIdsOf({ calls }: ApprovalGroup): string[] {
  return calls.map(({ id }) => approvedCallId(id));
}

/** The outcome of pending calls as messages of the conversation. */
export interface ApprovalOutcome {
  readonly messages: readonly JsonObject[];
  /** The ids that clients see for these calls. */
  readonly decidedIds: readonly string[];
}

/** The outcomes of the decided groups of these runs. */
export async function approvalOutcomes(
  states: ToolLoopStates,
  owner: ToolLoopOwner,
  runs: readonly string[],
): Promise<ReadonlyMap<string, ApprovalOutcome>> {
  if (runs.length === 0) return new Map();
  const groups = await readGroups(states, owner, runs.map(keyOf));
  return new Map(
    [...groups].flatMap(([key, group]): [string, ApprovalOutcome][] => {
      const end = endOfGroup(group);
      return end === undefined ? [] : [[runOfGroup(key), { messages: end.messages, decidedIds: decidedIdsOf(group) }]];
    }),
  );
}

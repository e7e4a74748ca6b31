/**
 * Calls that are held until a person decides on them: all that one answer holds are one group, kept with what the caller must not see
 * and found again by the ids that the caller was told. What they came to is kept too.
 */
import { approvedCallId, heldCallId } from '../../models/client-formats/server-tool-events.ts';
import type { ToolLoopStates, ToolLoopOwner } from '../../types/tool-loop-state.ts';
import type { JsonObject } from '../../types/json.ts';
import type { RoundCall } from './read-round.ts';
import { type ServerCall, toolMessage } from './server-call.ts';

/** A call that is held, or was. */
export interface PendingCall extends ServerCall {
  readonly id: string;
}

/** As it is kept: its tool has to be named again by whoever decides. */
export interface StoredPendingCall {
  readonly id: string;
  readonly call: RoundCall;
  readonly capability: string;
}

/** The calls that one answer holds; they are decided together. */
export interface ApprovalGroup {
  readonly calls: readonly StoredPendingCall[];
  /** How many messages were the caller's own words and results. */
  readonly callerMessages: number;
  /** What stands behind them; nothing for calls that are held beside the caller's own, with which they are found. */
  readonly hidden: readonly JsonObject[];
  /** So many of the caller's messages are in `hidden` too. */
  readonly hiddenCallerMessages: number;
  /** Ids of the calls that were decided before, whose results are in `hidden`. */
  readonly decidedIds: readonly string[];
  /** Since when a request carries it out, and which calls. */
  readonly taken?: { readonly at: number; readonly yes: readonly string[] };
  /** Once they were carried out. */
  readonly done?: GroupEnd;
}

/** As it is stored. During an upgrade nodes of another version read it too: no name may change. */
interface StoredGroup extends Omit<ApprovalGroup, 'callerMessages' | 'hiddenCallerMessages' | 'decidedIds'> {
  readonly at: number;
  readonly swallowed: number;
  readonly covers: readonly string[];
}

/** What a held group came to. */
export interface GroupEnd {
  /** The ids of the calls that were allowed. */
  readonly yes: readonly string[];
  /** What the model reads of all its calls. */
  readonly messages: readonly JsonObject[];
  /** Which of those that were allowed failed, by their places. */
  readonly errors?: CallErrors;
}

/** Null for a call that succeeded. */
export type CallErrors = readonly (string | null)[];

/** A call that takes longer has lost whoever made it. */
const mostMs = 10 * 60_000;

export const unknownEnd = 'The call was interrupted; it is not known whether it took effect.';
export const interrupted = 'interrupted';
export const refusal = 'The person did not allow this call.';

const keyPrefix = 'apg_';
const keyOf = (run: string): string => keyPrefix + run;

/** The run that holds the group kept under this key. */
export function runOfGroup(key: string): string {
  return key.slice(keyPrefix.length);
}

/** Rejects with `storage_unavailable`. */
export async function storeGroup(states: ToolLoopStates, owner: ToolLoopOwner, key: string, group: ApprovalGroup): Promise<void> {
  const { callerMessages: at, hiddenCallerMessages: swallowed, decidedIds: covers, ...same } = group;
  await states.keep(owner, [key], { ...same, at, swallowed, covers } satisfies StoredGroup as unknown as JsonObject);
}

/** The groups that are kept under these keys. Rejects with `storage_unavailable`. */
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

/** Keeps calls until somebody has decided. `run` is in the ids, so that a response can be found by them. */
export async function storePendingCalls(
  states: ToolLoopStates,
  owner: ToolLoopOwner,
  run: string,
  calls: readonly ServerCall[],
  place: Pick<ApprovalGroup, 'callerMessages' | 'hidden' | 'hiddenCallerMessages' | 'decidedIds'>,
): Promise<readonly PendingCall[]> {
  if (calls.length === 0) return [];
  const held = calls.map((each, index) => ({ ...each, id: heldCallId(run, index) }));
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

/** What a group came to; undefined for one that nobody has decided on yet, or that is being carried out. */
export function endOfGroup({ calls, taken, done }: ApprovalGroup): GroupEnd | undefined {
  if (done !== undefined || taken === undefined || Date.now() - taken.at < mostMs) return done;
  const messages = calls.map(({ id, call }) => toolMessage(call, taken.yes.includes(id) ? unknownEnd : refusal));
  return { yes: taken.yes, messages, errors: taken.yes.map(() => interrupted) };
}

/** The ids under which faces tell the calls of a group once they are decided. */
export function decidedIdsOf({ calls }: ApprovalGroup): string[] {
  return calls.map(({ id }) => approvedCallId(id));
}

/** What held calls came to, as it stands in the conversation. */
export interface ApprovalOutcome {
  readonly messages: readonly JsonObject[];
  /** The ids under which faces tell these calls. */
  readonly decidedIds: readonly string[];
}

/** Of the groups that these runs hold, as far as they were decided. */
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

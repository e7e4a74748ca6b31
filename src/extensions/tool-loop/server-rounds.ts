/**
 * Rounds that a caller does not see, before and beside calls of its own functions: kept for an hour and found again, on any node,
 * by the ids of the caller's calls.
 */
import type { ToolLoopStates, ToolLoopOwner } from '../../types/tool-loop-state.ts';
import type { JsonObject } from '../../types/json.ts';
import { fingerprintOf } from './call-fingerprint.ts';
import { ownCallsOf } from './conversation.ts';
import { type ApprovalOutcome, approvalOutcomes } from './pending-approvals.ts';

/** The rounds up to one in which the caller's own functions are called. */
export interface ServerRounds {
  /** What stands in the place of the caller's message with its calls. */
  readonly messages: readonly JsonObject[];
  /** The vendor's id for each of ours: vendors count from the start again in every conversation. */
  readonly vendorIds: Readonly<Record<string, string>>;
  /** The run that holds calls beside these; null for none. */
  readonly heldRun: string | null;
  /** Ids of calls that were decided before, whose results are in `messages`. */
  readonly decidedIds: readonly string[];
  /** So many messages of the caller before it are in `messages` too. */
  readonly hiddenCallerMessages: number;
}

/** Hidden rounds as they were found, with what the calls that were held beside them came to since. */
export interface StoredServerRounds extends ServerRounds {
  readonly outcome: ApprovalOutcome | undefined;
}

/** As they are stored. During an upgrade nodes of another version read them too: no name may change. */
interface StoredRounds {
  readonly fingerprint: string;
  readonly messages: readonly JsonObject[];
  readonly ids: Readonly<Record<string, string>>;
  readonly waits: string | null;
  readonly covers: readonly string[];
  readonly swallowed: number;
}

function asState(fingerprint: string, rounds: ServerRounds): JsonObject {
  const { messages, vendorIds: ids, heldRun: waits, decidedIds: covers, hiddenCallerMessages: swallowed } = rounds;
  return { fingerprint, messages, ids, waits, covers, swallowed } satisfies StoredRounds;
}

function asRounds(state: JsonObject): ServerRounds {
  const { messages, ids, waits, covers, swallowed } = state as unknown as StoredRounds;
  return { messages, vendorIds: ids, heldRun: waits, decidedIds: covers, hiddenCallerMessages: swallowed };
}

/** By the first alone: the others must be there too, and each more would be a copy of all that is hidden. */
function idOf([first]: readonly JsonObject[]): string | null {
  return typeof first?.['id'] === 'string' ? first['id'] : null;
}

/** `calls` are the caller's own, in its shape and under ids of our own. Rejects with `storage_unavailable`. */
export async function storeServerRounds(
  states: ToolLoopStates,
  owner: ToolLoopOwner,
  calls: readonly JsonObject[],
  rounds: ServerRounds,
): Promise<void> {
  const id = idOf(calls);
  if (id !== null) await states.keep(owner, [id], asState(fingerprintOf(calls), rounds));
}

/** What is kept for each message with calls of the caller's own. Rejects with `storage_unavailable`. */
export async function findServerRounds(
  states: ToolLoopStates,
  owner: ToolLoopOwner,
  messages: readonly JsonObject[],
): Promise<ReadonlyMap<JsonObject, StoredServerRounds>> {
  const calls = new Map(messages.map((message) => [message, ownCallsOf(message)]));
  const ids = [...calls.values()].map(idOf).filter((id) => id !== null);
  if (ids.length === 0) return new Map();
  const known = await states.read(owner, ids);
  const heldRuns = [...known.values()].map((state) => asRounds(state).heldRun).filter((run) => typeof run === 'string');
  const outcomes = await approvalOutcomes(states, owner, heldRuns);
  return new Map(
    [...calls].flatMap(([message, own]): [JsonObject, StoredServerRounds][] => {
      const state = known.get(idOf(own) ?? '');
      if (state === undefined || state['fingerprint'] !== fingerprintOf(own)) return [];
      const rounds = asRounds(state);
      return [[message, { ...rounds, outcome: outcomes.get(rounds.heldRun ?? '') }]];
    }),
  );
}

/**
 * Rounds of server-side tools that the client does not see. They are stored for an hour, for every node,
 * and found by the ids of the client's own calls.
 */
import type { ToolLoopStates, ToolLoopOwner } from '../../types/tool-loop-state.ts';
import type { JsonObject } from '../../types/json.ts';
import { fingerprintOf } from './call-fingerprint.ts';
import { ownCallsOf } from './conversation.ts';
import { type ApprovalOutcome, approvalOutcomes } from './pending-approvals.ts';

/** The rounds up to one that calls the caller's own functions. */
export interface ServerRounds {
  /** The messages that replace the client's message with its calls. */
  readonly messages: readonly JsonObject[];
  /** The vendor's id for each of ours. Vendors reuse ids across conversations. */
  readonly vendorIds: Readonly<Record<string, string>>;
  /** The run with pending calls in the same round; null for none. */
  readonly heldRun: string | null;
  /** Ids of calls that were decided earlier; their results are in `messages`. */
  readonly decidedIds: readonly string[];
  /** The number of the caller's messages within `messages`. */
  readonly hiddenCallerMessages: number;
}

/** Stored rounds with the outcome of the calls that were pending beside them. */
export interface StoredServerRounds extends ServerRounds {
  readonly outcome: ApprovalOutcome | undefined;
}

/** The stored form. Nodes of another version read it during an upgrade: no field may be renamed. */
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

/** The key: the id of the first call. The others must match too, and a key for each would copy the rounds. */
function idOf([first]: readonly JsonObject[]): string | null {
  return typeof first?.['id'] === 'string' ? first['id'] : null;
}

/** Stores the rounds. `calls` are the caller's own calls with our ids. Rejects with `storage_unavailable`. */
export async function storeServerRounds(
  states: ToolLoopStates,
  owner: ToolLoopOwner,
  calls: readonly JsonObject[],
  rounds: ServerRounds,
): Promise<void> {
  const id = idOf(calls);
  if (id !== null) await states.keep(owner, [id], asState(fingerprintOf(calls), rounds));
}

/** Reads the stored rounds for each message with the caller's own calls. Rejects with `storage_unavailable`. */
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

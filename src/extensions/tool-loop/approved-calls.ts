/**
 * Calls that waited for an approval and now have a decision. One request takes them and executes them once.
 * A request that repeats the decisions continues from the stored results: no tool runs twice.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ToolLoopStates, ToolLoopOwner } from '../../types/tool-loop-state.ts';
import type { Decision } from '../../types/approval-decision.ts';
import { GatewayError } from '../../types/errors.ts';
import type { JsonObject } from '../../types/json.ts';
import {
  type CallErrors,
  decidedIdsOf,
  endOfGroup,
  type GroupEnd,
  type PendingCall,
  type ApprovalGroup,
  storeGroup,
  type StoredPendingCall,
  readGroups,
  refusal,
  runOfGroup,
} from './pending-approvals.ts';
import type { ServerTool } from './tool-requests.ts';
import { toolMessage } from './server-call.ts';

/** A group of calls with a decision on each. */
export interface ApprovedCalls extends Pick<ApprovalGroup, 'callerMessages' | 'hidden' | 'hiddenCallerMessages'> {
  /** The first decision; error messages name it. */
  readonly first: Decision;
  /** The id of the run that asked for the approvals. */
  readonly run: string;
  /** Ids, as clients see them, of calls whose results are in `hidden` or still to come. */
  readonly decidedIds: readonly string[];
  readonly allowed: readonly PendingCall[];
  readonly refused: readonly JsonObject[];
  /** The stored tool messages when an earlier request has executed the calls; null when they are still to be executed. */
  readonly results: readonly JsonObject[] | null;
  /** The errors of the allowed calls that were executed. */
  readonly errors: CallErrors;
  /** Claims the calls for this request. Throws when another request holds the claim. */
  take(): Promise<void>;
  /** Stores the results. Must be called after `take`, also when a result is unknown. */
  keep(results: readonly JsonObject[], errors: CallErrors): Promise<void>;
}

/** At least one. */
type Decisions = readonly [Decision, ...Decision[]];

/** An `invalid_request` that names the decision by its place in the request. */
export function decisionError({ place }: Decision, sentence: string): GatewayError {
  return new GatewayError('invalid_request', `${place}: ${sentence}`, { param: place });
}

function underWay(decision: Decision): GatewayError {
  return decisionError(decision, 'is being executed now; send the request again when that answer is complete.');
}

/** Finds the one group that all decisions belong to. */
async function findGroup(
  states: ToolLoopStates,
  owner: ToolLoopOwner,
  decisions: Decisions,
): Promise<{ readonly key: string; readonly group: ApprovalGroup }> {
  const ids = decisions.map(({ id }) => id);
  const known = await states.read(owner, ids);
  const keys = decisions.map((decision) => {
    const key = known.get(decision.id)?.['group'];
    if (typeof key === 'string') return key;
    const id = decision.id.slice(0, 60);
    throw decisionError(decision, `no call waits for approval as "${id}": the id is wrong, more than an hour old, or not yours.`);
  });
  const [key = ''] = keys;
  const otherDecision = decisions.find((_, index) => keys[index] !== key);
  if (otherDecision !== undefined)
    throw decisionError(otherDecision, 'belongs to another answer than the first; decide on one answer at a time.');
  const group = (await readGroups(states, owner, [key])).get(key);
  if (group === undefined) throw underWay(decisions[0]);
  return { key, group };
}

interface DecidedCall {
  readonly kept: StoredPendingCall;
  readonly decision: Decision;
}

/** Throws unless each call of the group has a decision. */
function requireAllDecided({ calls }: ApprovalGroup, decisions: Decisions): DecidedCall[] {
  return calls.map((kept) => {
    const decision = decisions.find(({ id }) => id === kept.id);
    if (decision === undefined) throw decisionError(decisions[0], `decide on ${kept.id} as well: these calls are decided together.`);
    return { kept, decision };
  });
}

function requireSameAsBefore(calls: readonly DecidedCall[], { yes }: GroupEnd): void {
  const changed = calls.find(({ decision }) => decision.approve !== yes.includes(decision.id))?.decision;
  if (changed === undefined) return;
  throw decisionError(changed, `was ${changed.approve ? 'refused' : 'allowed'} already; a decision cannot be changed.`);
}

function requireTool({ kept, decision }: DecidedCall, tools: readonly ServerTool[]): PendingCall & { readonly approve: boolean } {
  const { id, call, capability } = kept;
  const tool = tools.find((each) => each.capability === capability);
  if (tool === undefined) throw decisionError(decision, `name the tool ${capability} in tools again.`);
  return { id, call, tool, approve: decision.approve };
}

const pauses = [100, 500, 2_000];

/** Retries the write: the tool has run, so its result must not be lost. */
async function keepSurely(keep: () => Promise<void>): Promise<void> {
  for (const pause of pauses) {
    try {
      return await keep();
    } catch {
      await sleep(pause);
    }
  }
  return keep();
}

/** Finds the calls that the decisions belong to. Throws `invalid_request` naming a wrong decision. */
export async function findApprovedCalls(
  states: ToolLoopStates,
  owner: ToolLoopOwner,
  decisions: Decisions,
  tools: readonly ServerTool[],
): Promise<ApprovedCalls> {
  const [first] = decisions;
  const { key, group } = await findGroup(states, owner, decisions);
  const decided = requireAllDecided(group, decisions);
  const end = endOfGroup(group);
  if (group.taken !== undefined && end === undefined) throw underWay(first);
  if (end !== undefined) requireSameAsBefore(decided, end);
  const calls = decided.map((each) => requireTool(each, tools));
  const allowed = calls.filter(({ approve }) => approve);
  const refused = calls.filter(({ approve }) => !approve);
  const yes = allowed.map(({ id }) => id);
  return {
    first,
    run: runOfGroup(key),
    callerMessages: group.callerMessages,
    hidden: group.hidden,
    hiddenCallerMessages: group.hiddenCallerMessages,
    decidedIds: [...group.decidedIds, ...decidedIdsOf(group)],
    allowed,
    refused: refused.map(({ call }) => toolMessage(call, refusal)),
    results: end?.messages ?? null,
    errors: end?.errors ?? [],
    async take() {
      // Of several concurrent requests exactly one executes the group.
      if ((await states.take(owner, key)) === null) throw underWay(first);
      await keepSurely(() => storeGroup(states, owner, key, { ...group, taken: { at: Date.now(), yes } }));
    },
    keep: (results, errors) => keepSurely(() => storeGroup(states, owner, key, { ...group, done: { yes, messages: results, errors } })),
  };
}

/**
 * Held calls that a person has decided on: found by the decisions, and carried out once, by whoever takes them.
 * The same decisions, sent again, go on from what was kept of them: no tool runs twice, and none in vain.
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

/** What a person has decided on: a whole group. */
export interface ApprovedCalls extends Pick<ApprovalGroup, 'callerMessages' | 'hidden' | 'hiddenCallerMessages'> {
  /** Of the decisions the first, which stands for all of them in faults. */
  readonly first: Decision;
  /** The run that held them. */
  readonly run: string;
  /** The ids under which faces tell of calls whose results are in `hidden` or are yet to come. */
  readonly decidedIds: readonly string[];
  readonly allowed: readonly PendingCall[];
  readonly refused: readonly JsonObject[];
  /** What the model reads of them, where an earlier request has carried them out already; then there is nothing to do. */
  readonly results: readonly JsonObject[] | null;
  /** Of the allowed ones, as far as they were carried out. */
  readonly errors: CallErrors;
  /** Whoever takes them carries them out, alone. Throws where somebody else was faster. */
  take(): Promise<void>;
  /** Has to be told what the calls came to, also where that is not known. */
  keep(results: readonly JsonObject[], errors: CallErrors): Promise<void>;
}

/** At least one. */
type Decisions = readonly [Decision, ...Decision[]];

/** What is wrong with a decision, by its place in the request. */
export function decisionError({ place }: Decision, sentence: string): GatewayError {
  return new GatewayError('invalid_request', `${place}: ${sentence}`, { param: place });
}

function underWay(decision: Decision): GatewayError {
  return decisionError(decision, 'is being carried out at this moment; ask again when that answer is there.');
}

/** The group that all decisions are on. */
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
    throw decisionError(decision, `nothing waits under "${id}": the id is wrong, more than an hour old, or not yours.`);
  });
  const [key = ''] = keys;
  const stranger = decisions.find((_, index) => keys[index] !== key);
  if (stranger !== undefined) throw decisionError(stranger, 'belongs to another answer than the first; decide on one answer at a time.');
  const group = (await readGroups(states, owner, [key])).get(key);
  if (group === undefined) throw underWay(decisions[0]);
  return { key, group };
}

interface DecidedCall {
  readonly kept: StoredPendingCall;
  readonly decision: Decision;
}

/** Each call of the group with the decision on it. */
function requireAllDecided({ calls }: ApprovalGroup, decisions: Decisions): DecidedCall[] {
  return calls.map((kept) => {
    const decision = decisions.find(({ id }) => id === kept.id);
    if (decision === undefined) throw decisionError(decisions[0], `decide on ${kept.id} as well: they wait together.`);
    return { kept, decision };
  });
}

function requireSameAsBefore(calls: readonly DecidedCall[], { yes }: GroupEnd): void {
  const changed = calls.find(({ decision }) => decision.approve !== yes.includes(decision.id))?.decision;
  if (changed === undefined) return;
  throw decisionError(changed, `was ${changed.approve ? 'refused' : 'allowed'} already, which nothing can change.`);
}

function requireTool({ kept, decision }: DecidedCall, tools: readonly ServerTool[]): PendingCall & { readonly approve: boolean } {
  const { id, call, capability } = kept;
  const tool = tools.find((each) => each.capability === capability);
  if (tool === undefined) throw decisionError(decision, `name the tool ${capability} in tools again.`);
  return { id, call, tool, approve: decision.approve };
}

const pauses = [100, 500, 2_000];

/** A tool has run: what it came to is worth another try. */
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

/** The held calls that were decided on. Throws `invalid_request` naming the decision that is wrong. */
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
      // Of several who send it at once one carries it out, all of it.
      if ((await states.take(owner, key)) === null) throw underWay(first);
      await keepSurely(() => storeGroup(states, owner, key, { ...group, taken: { at: Date.now(), yes } }));
    },
    keep: (results, errors) => keepSurely(() => storeGroup(states, owner, key, { ...group, done: { yes, messages: results, errors } })),
  };
}

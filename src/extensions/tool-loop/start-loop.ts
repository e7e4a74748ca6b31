/** Where a loop begins: the conversation with what the caller does not see, and with the calls that a person has decided on carried out. */
import type { ChatEvent } from '../../types/chat.ts';
import type { Decision } from '../../types/approval-decision.ts';
import type { GatewayError } from '../../types/errors.ts';
import type { JsonObject } from '../../types/json.ts';
import { executeApproved } from './execute-approved.ts';
import { countCallerMessages, endsWithAnswer, messagesAfterAnswer, indexAfterCaller } from './conversation.ts';
import { type ApprovedCalls, findApprovedCalls, decisionError } from './approved-calls.ts';
import type { ToolLoopOptions } from './loop-options.ts';
import { restoreServerRounds } from './restore-server-rounds.ts';

export interface Start {
  readonly messages: readonly JsonObject[];
  /** So many of them are found again by the caller's own messages; what comes behind is hidden from it. */
  readonly visible: number;
  /** So many messages of the caller are among what is hidden. */
  readonly hiddenCallerMessages: number;
  /** Ids of decided calls whose results are among what is hidden. */
  readonly decidedIds: readonly string[];
  /** True if decided calls were carried out, now or by an earlier request. */
  readonly decided: boolean;
  /** What was told before the first model call. */
  readonly told: readonly (readonly ChatEvent[])[];
}

function startWith(messages: readonly JsonObject[]): Start {
  return { messages, visible: messages.length, hiddenCallerMessages: 0, decidedIds: [], decided: false, told: [] };
}

async function restored({ states, owner }: ToolLoopOptions, messages: readonly JsonObject[]): Promise<readonly JsonObject[]> {
  return (await restoreServerRounds(states, owner, messages)).messages;
}

function answeredSince(decision: Decision): GatewayError {
  return decisionError(decision, 'the conversation has been answered since without it; add a message, or let the model ask again.');
}

/** Held beside functions of the caller's own: what was decided is restored with the round that they are of. */
async function startBesideOwnCalls(options: ToolLoopOptions, decided: ApprovedCalls, messages: readonly JsonObject[]): Promise<Start> {
  const { heldRuns } = await restoreServerRounds(options.states, options.owner, messages);
  if (!heldRuns.has(decided.run))
    throw decisionError(decided.first, 'send the conversation with your own calls that stood beside it as they were, and their results.');
  if (decided.results === null && endsWithAnswer(messages)) throw answeredSince(decided.first);
  const { told } = await executeApproved(options, decided);
  const all = await restored(options, messages);
  return { ...startWith(endsWithAnswer(all) ? all.slice(0, -1) : all), decided: true, told };
}

/** What was decided goes in the place of the answer that held it; `behind` is what the caller said since. */
async function startInPlace(
  options: ToolLoopOptions,
  decided: ApprovedCalls,
  before: readonly JsonObject[],
  behind: readonly JsonObject[],
): Promise<Start> {
  if (behind.at(-1)?.['role'] === 'assistant') throw answeredSince(decided.first);
  const visible = await restored(options, before);
  const { results, told } = await executeApproved(options, decided);
  return {
    messages: [...visible, ...decided.hidden, ...results, ...(await restored(options, behind))],
    visible: visible.length,
    hiddenCallerMessages: decided.hiddenCallerMessages + countCallerMessages(behind),
    decidedIds: decided.decidedIds,
    decided: true,
    told,
  };
}

/** Throws `invalid_request` for decisions that fit no held calls, before any is carried out. */
export async function startOf(options: ToolLoopOptions): Promise<Start> {
  const { owner, states, tools, request } = options;
  const { messages } = request.body;
  const [first, ...others] = options.decisions;
  if (first === undefined) return startWith(await restored(options, messages));
  const decided = await findApprovedCalls(states, owner, [first, ...others], tools);
  const { callerMessages, hiddenCallerMessages } = decided;
  if (countCallerMessages(messages) < callerMessages)
    throw decisionError(first, 'send the conversation that it belongs to, with all its messages.');
  if (decided.hidden.length === 0) return startBesideOwnCalls(options, decided, messages);
  const before = messages.slice(0, indexAfterCaller(messages, callerMessages - hiddenCallerMessages));
  const behind = messagesAfterAnswer(messages, indexAfterCaller(messages, callerMessages));
  const hasGoneOn = decided.results !== null && behind.some(({ role }) => role === 'assistant');
  if (hasGoneOn) return startWith(await restored(options, messages));
  return startInPlace(options, decided, before, behind);
}

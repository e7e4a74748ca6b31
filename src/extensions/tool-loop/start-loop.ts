/** Prepares a loop: restores the hidden rounds of the conversation and executes approved calls. */
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
  /** The number of leading messages that the client's own messages restore; the rest is hidden from the client. */
  readonly visible: number;
  /** The number of the caller's messages within the hidden part. */
  readonly hiddenCallerMessages: number;
  /** Ids of decided calls whose results are in the hidden part. */
  readonly decidedIds: readonly string[];
  /** True when decided calls were executed, now or by an earlier request. */
  readonly decided: boolean;
  /** Events to emit before the first model call. */
  readonly stepEvents: readonly (readonly ChatEvent[])[];
}

function startWith(messages: readonly JsonObject[]): Start {
  return { messages, visible: messages.length, hiddenCallerMessages: 0, decidedIds: [], decided: false, stepEvents: [] };
}

async function restored({ states, owner }: ToolLoopOptions, messages: readonly JsonObject[]): Promise<readonly JsonObject[]> {
  return (await restoreServerRounds(states, owner, messages)).messages;
}

function answeredSince(decision: Decision): GatewayError {
  return decisionError(decision, 'the conversation has been answered since without it; add a message, or let the model ask again.');
}

/** Calls pending beside the caller's own: their outcome is restored with the round that they belong to. */
async function startBesideOwnCalls(options: ToolLoopOptions, decided: ApprovedCalls, messages: readonly JsonObject[]): Promise<Start> {
  const { heldRuns } = await restoreServerRounds(options.states, options.owner, messages);
  if (!heldRuns.has(decided.run))
    throw decisionError(decided.first, 'send the conversation with your own calls that stood beside it as they were, and their results.');
  if (decided.results === null && endsWithAnswer(messages)) throw answeredSince(decided.first);
  const { stepEvents } = await executeApproved(options, decided);
  const all = await restored(options, messages);
  return { ...startWith(endsWithAnswer(all) ? all.slice(0, -1) : all), decided: true, stepEvents };
}

/** Puts the outcome in the place of the answer that left the calls pending. `behind` are the caller's later messages. */
async function startInPlace(
  options: ToolLoopOptions,
  decided: ApprovedCalls,
  before: readonly JsonObject[],
  behind: readonly JsonObject[],
): Promise<Start> {
  if (behind.at(-1)?.['role'] === 'assistant') throw answeredSince(decided.first);
  const visible = await restored(options, before);
  const { results, stepEvents } = await executeApproved(options, decided);
  return {
    messages: [...visible, ...decided.hidden, ...results, ...(await restored(options, behind))],
    visible: visible.length,
    hiddenCallerMessages: decided.hiddenCallerMessages + countCallerMessages(behind),
    decidedIds: decided.decidedIds,
    decided: true,
    stepEvents,
  };
}

/** Throws `invalid_request` for decisions without pending calls, before any call is executed. */
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

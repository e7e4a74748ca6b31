/** Where a loop begins: the conversation with what the caller does not see, and with the calls that a person has decided on carried out. */
import type { ChatStates, StateOwner } from '../../types/chat-state.ts';
import type { ChatEvent } from '../../types/chat.ts';
import type { Decision } from '../../types/decision.ts';
import type { GatewayError } from '../../types/errors.ts';
import type { JsonObject } from '../../types/json.ts';
import { callTools, roomBehind, stepOf, type ToolCaller, toolMessage } from './calls.ts';
import { type DecidedCalls, findDecided, wrongDecision } from './decided-calls.ts';
import { interrupted, unknownEnd } from './held-calls.ts';
import { isOfCaller, isToldResult, ownCallsOf, restoreHidden } from './hidden-messages.ts';
import type { ServerTool } from './requests.ts';

export interface StartOptions extends ToolCaller {
  readonly owner: StateOwner;
  readonly states: ChatStates;
  readonly tools: readonly ServerTool[];
  /** What a person said to calls that an earlier answer holds. */
  readonly decisions: readonly Decision[];
}

export interface Start {
  readonly messages: readonly JsonObject[];
  /** So many of them are found again by the caller's own messages; what comes behind is hidden from it. */
  readonly own: number;
  /** So many messages of the caller are among what comes behind. */
  readonly swallowed: number;
  /** Ids of decided calls whose results come behind those. */
  readonly covers: readonly string[];
  readonly decided: boolean;
  /** What was told before the first model call. */
  readonly told: readonly (readonly ChatEvent[])[];
}

export const callerMessages = (messages: readonly JsonObject[]): number => messages.filter(isOfCaller).length;

/** Where the caller had said so much, and the instructions behind it. */
function behindCaller(messages: readonly JsonObject[], said: number): number {
  let seen = 0;
  let cut = said === 0 ? 0 : messages.findIndex((message) => isOfCaller(message) && ++seen === said) + 1;
  while (messages[cut]?.['role'] === 'system' || messages[cut]?.['role'] === 'developer') cut++;
  return cut;
}

/** What came behind the answer that was given at `cut`. */
function behindAnswer(messages: readonly JsonObject[], cut: number): readonly JsonObject[] {
  const isOfAnswer = (message: JsonObject): boolean =>
    isToldResult(message) || (message['role'] === 'assistant' && ownCallsOf(message).length === 0);
  const next = messages.findIndex((message, index) => index >= cut && !isOfAnswer(message));
  return next === -1 ? [] : messages.slice(next);
}

/** An answer without calls at the end is the one that holds them: the conversation goes on before it. */
function withoutHoldingAnswer(messages: readonly JsonObject[]): readonly JsonObject[] {
  const last = messages.at(-1);
  // Some clients write an absent field as null.
  const isAnswer = last?.['role'] === 'assistant' && (last['tool_calls'] ?? null) === null;
  return isAnswer ? messages.slice(0, -1) : messages;
}

type Told = (readonly ChatEvent[])[];

/** What the decided calls came to, kept before anything else can fail. */
async function carryOut(options: ToolCaller, decided: DecidedCalls, told: Told): Promise<readonly JsonObject[]> {
  const { allowed, refused } = decided;
  const results = allowed.map(({ call }) => toolMessage(call, unknownEnd));
  const errors: (string | null)[] = allowed.map(() => interrupted);
  const came = (index: number, message: JsonObject, error: string | null): void => {
    results[index] = message;
    errors[index] = error;
  };
  try {
    for await (const events of callTools(options, allowed, 'approved', roomBehind(decided.hidden), true, came)) told.push(events);
  } finally {
    await decided.keep([...results, ...refused], errors);
  }
  return [...results, ...refused];
}

/** Calls that an earlier request carried out, told as if they had been made just now: its answer may be lost. */
function tellAgain({ allowed, errors }: DecidedCalls, came: readonly JsonObject[], told: Told): void {
  const textOf = (id: string): string => {
    const content = came.find((message) => message['tool_call_id'] === id)?.['content'];
    return typeof content === 'string' ? content : '';
  };
  const steps = allowed.map((each, index) => ({ each, id: `approved.${index + 1}`, error: errors[index] ?? null }));
  told.push(steps.map(({ each, id }) => stepOf(each, id, 'started')));
  told.push(
    steps.map(({ each, id, error }) =>
      stepOf(each, id, error === null ? 'completed' : 'failed', error === null ? {} : { error }, textOf(each.call.id)),
    ),
  );
}

async function resultsOf(options: ToolCaller, decided: DecidedCalls, told: Told): Promise<readonly JsonObject[]> {
  if (decided.messages === null) {
    await decided.take();
    return carryOut(options, decided, told);
  }
  if (decided.allowed.length > 0) tellAgain(decided, decided.messages, told);
  return decided.messages;
}

/** Throws `invalid_request` for decisions that fit no held calls, before any is carried out. */
export async function startOf(options: StartOptions, messages: readonly JsonObject[]): Promise<Start> {
  const { owner, states } = options;
  const [first, ...others] = options.decisions;
  const restore = async (part: readonly JsonObject[]): Promise<readonly JsonObject[]> =>
    (await restoreHidden(states, owner, part)).messages;
  const plain = (all: readonly JsonObject[]): Start => ({
    messages: all,
    own: all.length,
    swallowed: 0,
    covers: [],
    decided: false,
    told: [],
  });
  if (first === undefined) return plain(await restore(messages));
  const answeredSince = (): GatewayError =>
    wrongDecision(first, 'the conversation has been answered since without it; add a message, or let the model ask again.');
  const decided = await findDecided(states, owner, [first, ...others], options.tools);
  const told: Told = [];
  if (callerMessages(messages) < decided.at) throw wrongDecision(first, 'send the conversation that it belongs to, with all its messages.');
  // Beside functions of the caller's own, what was decided is restored with the round that they are of.
  if (decided.hidden.length === 0) {
    const { waits } = await restoreHidden(states, owner, messages);
    if (!waits.has(decided.run))
      throw wrongDecision(first, 'send the conversation with your own calls that stood beside it as they were, and their results.');
    if (decided.messages === null && withoutHoldingAnswer(messages) !== messages) throw answeredSince();
    await resultsOf(options, decided, told);
    return { ...plain(withoutHoldingAnswer(await restore(messages))), decided: true, told };
  }
  const before = messages.slice(0, behindCaller(messages, decided.at - decided.swallowed));
  const behind = behindAnswer(messages, behindCaller(messages, decided.at));
  const hasGoneOn = behind.some(({ role }) => role === 'assistant');
  if (hasGoneOn && decided.messages !== null) return plain(await restore(messages));
  if (behind.at(-1)?.['role'] === 'assistant') throw answeredSince();
  const start = await restore(before);
  const came = await resultsOf(options, decided, told);
  return {
    messages: [...start, ...decided.hidden, ...came, ...(await restore(behind))],
    own: start.length,
    swallowed: decided.swallowed + callerMessages(behind),
    covers: decided.covers,
    decided: true,
    told,
  };
}

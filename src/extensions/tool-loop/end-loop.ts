/** Ends a loop: with an answer, with calls for the caller or for approval, or at the step limit. */
import type { ChatEvent, ChatEvents } from '../../types/chat.ts';
import type { JsonObject } from '../../types/json.ts';
import { countCallerMessages } from './conversation.ts';
import { storePendingCalls } from './pending-approvals.ts';
import { storeServerRounds } from './server-rounds.ts';
import type { ToolLoopOptions } from './loop-options.ts';
import { asMessageCall } from './model-requests.ts';
import type { SplitCalls } from './offered-tools.ts';
import { readRound, type Round } from './read-round.ts';
import { parseArguments, stepEvent } from './server-call.ts';
import type { Start } from './start-loop.ts';

function ended(finish: Omit<Extract<ChatEvent, { readonly type: 'finish' }>, 'type' | 'choice'>): readonly ChatEvent[] {
  return [
    { type: 'finish', choice: 0, ...finish },
    { type: 'response-end', usage: null },
  ];
}

/** The last round, with the calls that it leaves to the caller. */
export interface LastRound {
  readonly start: Start;
  readonly round: Round;
  readonly calls: SplitCalls;
  /** The messages after the caller's own, which the client does not see. */
  readonly hidden: readonly JsonObject[];
}

/** Yields the end of the answer. Stores the hidden rounds until the client returns with results or decisions. */
export async function* endForCaller(
  options: ToolLoopOptions,
  { start, round, calls: { own, toHold }, hidden }: LastRound,
): AsyncGenerator<readonly ChatEvent[]> {
  const { owner, states, run } = options;
  const { hiddenCallerMessages, decidedIds } = start;
  const ownCalls = own.map((call) => asMessageCall({ ...call, id: call.shown }));
  if (own.length > 0)
    await storeServerRounds(states, owner, ownCalls, {
      messages: hidden,
      vendorIds: Object.fromEntries(own.map(({ shown, id }) => [shown, id])),
      heldRun: toHold.length > 0 ? run : null,
      decidedIds,
      hiddenCallerMessages,
    });
  const held = await storePendingCalls(states, owner, run, toHold, {
    callerMessages: countCallerMessages(options.request.body.messages),
    hidden: own.length > 0 ? [] : hidden,
    hiddenCallerMessages,
    decidedIds,
  });
  if (held.length > 0)
    yield held.map(({ id, call, tool }) =>
      stepEvent({ call, tool }, { id, status: 'approval_required', input: parseArguments(call.arguments) ?? {} }),
    );
  yield ended({ reason: own.length > 0 ? 'tool_calls' : held.length > 0 ? 'stop' : round.reason });
}

/** Yields the answer to a request that forbids tools. Drops calls that the model makes regardless. */
export async function* endAtLimit(events: ChatEvents): AsyncGenerator<readonly ChatEvent[]> {
  const { calls, reason } = yield* readRound(events, { isHidden: () => true, isFirst: false, shownId: String });
  yield ended(calls.length > 0 ? { reason: 'length', raw: 'max_steps', limit: 'max_steps' } : { reason, limit: 'max_steps' });
}

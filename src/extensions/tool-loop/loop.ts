/** The tool loop: calls the model, executes server-side tools, and repeats until the model answers. Emits one event stream. */
import { pushBatches } from '../../streaming/pumped-batches.ts';
import type { ChatBody, ChatEvent, ChatEvents, ChatRequest } from '../../types/chat.ts';
import { GatewayError } from '../../types/errors.ts';
import { wantsJson, onlyJson } from './json-answer.ts';
import { callTools } from './call-tools.ts';
import { endAtLimit, endForCaller } from './end-loop.ts';
import type { ToolLoopOptions } from './loop-options.ts';
import { assistantMessage, firstRequest, nextRequest } from './model-requests.ts';
import { type OfferedTools, offerTools, splitCalls } from './offered-tools.ts';
import { budgetBehind } from './result-budget.ts';
import { readRound } from './read-round.ts';
import { mostAtOnce } from './server-call.ts';
import { type Start, startOf } from './start-loop.ts';

/** At most 40 characters: the limit of OpenAI's models. */
function callId(run: string, step: number, call: number): string {
  return `call_${run.replaceAll('-', '')}${((step * mostAtOnce + call) % 4_096).toString(16).padStart(3, '0')}`;
}

function requirePossible({ n, functions }: ChatBody): void {
  const refuse = (param: string, sentence: string): GatewayError => new GatewayError('invalid_request', `${param}: ${sentence}`, { param });
  if (typeof n === 'number' && n > 1) throw refuse('n', 'only one choice is possible with server-side tools; leave n out.');
  // Legacy function calls have no id, so earlier rounds could not be found again.
  if (Array.isArray(functions) && functions.length > 0)
    throw refuse('functions', 'not possible beside server-side tools; put them into tools, as {"type": "function", "function": {…}}.');
}

/** Resolves when the first model call begins to answer. A failure before that is an HTTP error. */
export async function runToolLoop(options: ToolLoopOptions): Promise<ChatEvents> {
  const { body } = options.request;
  requirePossible(body);
  const ownTools = (body.tools ?? []).filter((tool) => tool['type'] !== 'mcp' && tool['type'] !== 'skill');
  const offered = offerTools(options.tools, ownTools);
  const start = await startOf(options);
  const request = firstRequest(options.request, start, offered.definitions);
  const { events } = await options.callModel(request);
  return rounds(options, offered, start, { request, events });
}

/** Emits the steps that precede the first model call. The model's answer has begun, so a reader that leaves cancels it. */
async function* emitSteps(stepEvents: Start['stepEvents'], answer: ChatEvents): AsyncGenerator<readonly ChatEvent[]> {
  let isEmitted = false;
  try {
    yield* stepEvents;
    isEmitted = true;
  } finally {
    if (!isEmitted) await pushBatches(answer).cancel();
  }
}

/** A model request with its unread answer. */
interface Asked {
  readonly request: ChatRequest;
  readonly events: ChatEvents;
}

async function* rounds(options: ToolLoopOptions, offered: OfferedTools, start: Start, first: Asked): AsyncGenerator<readonly ChatEvent[]> {
  const maxSteps = options.maxSteps ?? 8;
  const budget = budgetBehind(start.messages);
  const isJson = wantsJson(options.request.body);
  let { request, events } = first;
  yield* emitSteps(start.stepEvents, events);
  for (let step = 1; ; step++) {
    const reading = readRound(events, {
      isHidden: (name) => !offered.isOwn(name),
      isFirst: step === 1,
      shownId: (call) => callId(options.run, step, call),
    });
    const round = yield* isJson ? onlyJson(reading) : reading;
    const calls = splitCalls(round.calls, offered);
    const results = yield* callTools(options, calls.ready, { stepPrefix: step, budget });
    const messages = [...request.body.messages, assistantMessage(round), ...results, ...calls.refusals];
    if (round.calls.length === 0 || calls.own.length > 0 || calls.toHold.length > 0) {
      yield* endForCaller(options, { start, round, calls, hidden: messages.slice(start.visible) });
      return;
    }
    const isLast = step >= maxSteps;
    request = nextRequest(request, messages, isLast);
    ({ events } = await options.callModel(request));
    if (isLast) {
      yield* endAtLimit(events);
      return;
    }
  }
}

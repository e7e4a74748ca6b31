/** The loop that runs server-side tools: model, tools, model again, until it answers. One event stream comes out; what was spent, its run knows. */
import type { ChatStates, StateOwner } from '../../types/chat-state.ts';
import type { ChatBody, ChatEvent, ChatEvents, ChatRequest } from '../../types/chat.ts';
import { GatewayError } from '../../types/errors.ts';
import { isJsonObject, type JsonObject } from '../../types/json.ts';
import { keepHidden, restoreHidden, withoutTold, withoutUnanswered } from './hidden-messages.ts';
import { type Decided, type Decisions, holdCalls, takeHeld } from './approvals.ts';
import { callTools, mostAtOnce, parseArguments, type ServerCall, stepOf, type ToolCaller, toolMessage, tooMany } from './calls.ts';
import { marked } from '../../models/tool-names.ts';
import { readRound, type RoundCall } from './round.ts';
import type { ServerTool } from './requests.ts';

export interface ToolLoopOptions extends ToolCaller {
  readonly request: ChatRequest;
  readonly owner: StateOwner;
  readonly states: ChatStates;
  /** The id of the run that the loop is. */
  readonly run: string;
  readonly tools: readonly ServerTool[];
  /** Rounds of server-side tools; after them one last answer without tools. 8 unless given. */
  readonly maxSteps?: number;
  /** What a person said to calls that an earlier answer asked about. */
  readonly decisions?: Decisions;
  /** Where in the request each of them stands, for faults; in `gateway.approvals` unless given. */
  readonly decisionPlaces?: readonly string[];
  callModel(request: ChatRequest): Promise<{ readonly events: ChatEvents }>;
}

interface Start {
  readonly body: ChatBody;
  /** So many messages are the caller's own; what comes behind them is hidden from it. */
  readonly own: number;
  /** What was told before the first model call. */
  readonly told: readonly (readonly ChatEvent[])[];
}

/** At most 40 characters, which OpenAI's own models allow. */
function callId(run: string, step: number, call: number): string {
  return `call_${run.replaceAll('-', '')}${((step * mostAtOnce + call) % 4_096).toString(16).padStart(3, '0')}`;
}

/** By the name that the model sees; one that a function of the caller's already has is changed. */
function nameTools(tools: readonly ServerTool[], functions: readonly JsonObject[]): Map<string, ServerTool> {
  const taken = new Set(
    functions
      .map((each) => (isJsonObject(each['function']) ? each['function'] : each['custom']) as JsonObject | undefined)
      .map((body) => body?.['name']),
  );
  return new Map(tools.map((tool) => [taken.has(tool.name) ? marked(tool.name) : tool.name, tool]));
}

function asFunction(name: string, { description, inputSchema }: ServerTool): JsonObject {
  return { type: 'function', function: { name, ...(description === undefined ? {} : { description }), parameters: inputSchema } };
}

function asMessageCall({ id, name, arguments: given, kind }: RoundCall): JsonObject {
  if (kind === 'custom') return { id, type: 'custom', custom: { name, input: given } };
  return { id, type: 'function', function: { name, arguments: given === '' ? '{}' : given } };
}

/** The caller's own writing of the request does not hold what the loop adds, so only what it lost in translation stays. */
function asRequest({ translated }: ChatRequest, body: ChatBody): ChatRequest {
  return translated === undefined ? { body } : { body, translated };
}

/** An answer without calls at the end is what asked for the approval: the conversation goes on before it. */
function withoutQuestion(messages: readonly JsonObject[]): readonly JsonObject[] {
  const last = messages.at(-1);
  // Some clients write an absent field as null.
  const isQuestion = last?.['role'] === 'assistant' && (last['tool_calls'] ?? null) === null;
  return isQuestion ? messages.slice(0, -1) : messages;
}

/** The conversation with what the caller does not see, and with the calls that were decided carried out. */
async function startOf(options: ToolLoopOptions, named: ReadonlyMap<string, ServerTool>, tools: readonly JsonObject[]): Promise<Start> {
  const { owner, states, decisions } = options;
  const answered = (messages: readonly JsonObject[]): readonly JsonObject[] => withoutUnanswered(messages, (name) => named.has(name));
  const { body } = options.request;
  const { stream_options: _streamOptions, ...plain } = body;
  const restored = await restoreHidden(states, owner, body.messages);
  if (decisions === undefined || decisions.size === 0) {
    const messages = answered(restored);
    return { body: { ...plain, model: body.model, messages, tools }, own: messages.length, told: [] };
  }
  const asked = withoutQuestion(restored);
  const decided = await takeHeld(states, owner, decisions, asked, options.tools, options.decisionPlaces);
  const own = decided.hidden.length === 0 ? asked : withoutTold(asked);
  const told: (readonly ChatEvent[])[] = [];
  const came = decided.messages ?? (await carryOut(options, decided, told));
  // A forced choice would force the call that was just decided again.
  const { tool_choice: _forced, ...rest } = plain;
  // Beside functions of the caller's own, what was decided is restored with the round that they are of.
  const isBeside = decided.hidden.length === 0;
  const conversation = isBeside ? withoutQuestion(await restoreHidden(states, owner, body.messages)) : [...own, ...decided.hidden, ...came];
  const messages = answered(conversation);
  return { body: { ...rest, model: body.model, messages, tools }, own: isBeside ? messages.length : own.length, told };
}

const unknownEnd = 'The call was interrupted; it is not known whether it took effect.';

/** What the decided calls came to, kept before anything else can fail. */
async function carryOut(options: ToolLoopOptions, decided: Decided, told: (readonly ChatEvent[])[]): Promise<readonly JsonObject[]> {
  const refusals = decided.refused.map((call) => toolMessage(call, 'The person did not allow this call.'));
  let results = decided.allowed.map(({ call }) => toolMessage(call, unknownEnd));
  try {
    const running = callTools(options, decided.allowed, 'approved', true);
    let next = await running.next();
    for (; next.done !== true; next = await running.next()) told.push(next.value);
    results = next.value;
  } finally {
    await decided.keep([...results, ...refusals]);
  }
  return [...results, ...refusals];
}

/** Resolves when the first model call has begun to answer, so that a failure before it is still a plain HTTP error. */
export async function runToolLoop(options: ToolLoopOptions): Promise<ChatEvents> {
  const { body } = options.request;
  if (typeof body['n'] === 'number' && body['n'] > 1)
    throw new GatewayError('invalid_request', 'n: only one choice is possible with server-side tools; leave n out.', { param: 'n' });
  const functions = (body.tools ?? []).filter((tool) => tool['type'] !== 'mcp' && tool['type'] !== 'skill');
  const named = nameTools(options.tools, functions);
  const start = await startOf(options, named, [...functions, ...[...named].map(([name, tool]) => asFunction(name, tool))]);
  const first = await options.callModel(asRequest(options.request, start.body));
  return rounds(options, named, start, first.events);
}

async function* rounds(
  options: ToolLoopOptions,
  named: ReadonlyMap<string, ServerTool>,
  start: Start,
  firstEvents: ChatEvents,
): AsyncGenerator<readonly ChatEvent[]> {
  const maxSteps = options.maxSteps ?? 8;
  const { owner, states } = options;
  let { body } = start;
  let events = firstEvents;
  yield* start.told;
  for (let step = 1; ; step++) {
    const round = yield* readRound(
      events,
      (name) => named.has(name),
      step > 1,
      (call) => callId(options.run, step, call),
    );
    const serverCalls = round.calls.flatMap((call): ServerCall[] => {
      const tool = named.get(call.name);
      return tool === undefined ? [] : [{ call, tool }];
    });
    const own = round.calls.filter((call) => !named.has(call.name));
    const clientCalls = own.map((call) => asMessageCall({ ...call, id: call.shown }));
    const assistant: JsonObject = {
      role: 'assistant',
      content: round.text === '' ? null : round.text,
      ...(round.calls.length === 0 ? {} : { tool_calls: round.calls.map(asMessageCall) }),
    };
    const wanting = serverCalls.filter(({ tool }) => tool.needsApproval);
    const asked = wanting.slice(0, mostAtOnce);
    const made = yield* callTools(
      options,
      serverCalls.filter(({ tool }) => !tool.needsApproval),
      step,
    );
    const results = [...made, ...wanting.slice(mostAtOnce).map(({ call }) => toolMessage(call, tooMany))];
    const hidden = [...body.messages, assistant, ...results].slice(start.own);
    if (clientCalls.length > 0 || asked.length > 0 || serverCalls.length === 0) {
      // The caller runs its own functions and comes back with their results; what it must not see waits till then.
      if (clientCalls.length > 0) {
        const ids = Object.fromEntries(own.map(({ shown, id }) => [shown, id]));
        await keepHidden(states, owner, { calls: clientCalls, messages: hidden, ids, waits: asked.length > 0 ? options.run : null });
      }
      const held = await holdCalls(
        states,
        owner,
        options.run,
        asked,
        body.messages.slice(0, start.own),
        clientCalls.length > 0 ? [] : hidden,
      );
      if (held.length > 0)
        yield held.map(({ id, call, tool }) =>
          stepOf({ call, tool }, id, 'approval_required', { input: parseArguments(call.arguments) ?? {} }),
        );
      const reason = clientCalls.length > 0 ? 'tool_calls' : asked.length > 0 ? 'stop' : round.reason;
      yield [
        { type: 'finish', choice: 0, reason },
        { type: 'response-end', usage: null },
      ];
      return;
    }
    // A forced choice would force the same call for ever.
    const { tool_choice: _forced, ...rest } = body;
    const last = step >= maxSteps;
    body = { ...rest, model: body.model, messages: [...body.messages, assistant, ...results], ...(last ? { tool_choice: 'none' } : {}) };
    events = (await options.callModel(asRequest(options.request, body))).events;
    if (last) {
      // A model that calls tools all the same is not obeyed.
      const final = yield* readRound(events, () => true, true, String);
      yield [
        final.calls.length > 0
          ? { type: 'finish', choice: 0, reason: 'length', raw: 'max_steps', limit: 'max_steps' }
          : { type: 'finish', choice: 0, reason: final.reason, limit: 'max_steps' },
        { type: 'response-end', usage: null },
      ];
      return;
    }
  }
}

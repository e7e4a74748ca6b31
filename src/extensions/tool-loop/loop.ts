/** The loop that runs server-side tools: model, tools, model again, until it answers. One event stream comes out; what was spent, its run knows. */
import type { ChatBody, ChatEvent, ChatEvents, ChatRequest } from '../../types/chat.ts';
import { GatewayError } from '../../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';
import { keepHidden } from './hidden-messages.ts';
import { holdCalls } from './held-calls.ts';
import { callTools, mostAtOnce, parseArguments, roomBehind, type ServerCall, stepOf, toolMessage, tooMany } from './calls.ts';
import { marked } from '../../models/tool-names.ts';
import { endUnread } from '../../models/unread-events.ts';
import { readRound, type RoundCall } from './round.ts';
import type { ServerTool } from './requests.ts';
import { countCallerMessages } from './conversation.ts';
import { type Start, startOf, type StartOptions } from './start.ts';

export interface ToolLoopOptions extends StartOptions {
  readonly request: ChatRequest;
  /** The id of the run that the loop is. */
  readonly run: string;
  /** Rounds of server-side tools; after them one last answer without tools. 8 unless given. */
  readonly maxSteps?: number;
  callModel(request: ChatRequest): Promise<{ readonly events: ChatEvents }>;
}

/** At most 40 characters, which OpenAI's own models allow. */
function callId(run: string, step: number, call: number): string {
  return `call_${run.replaceAll('-', '')}${((step * mostAtOnce + call) % 4_096).toString(16).padStart(3, '0')}`;
}

/** The tools that the model is offered, by the names that it sees. */
interface Offered {
  readonly named: ReadonlyMap<string, ServerTool>;
  /** Calls of the caller's own; also of what nobody knows, where the caller offers tools without names. */
  readonly isOwn: (name: string) => boolean;
}

/** A name that a function of the caller's or another tool already has is changed. */
function nameTools(tools: readonly ServerTool[], functions: readonly JsonObject[]): Offered {
  const own = functions
    .map((each) => (isJsonObject(each['function']) ? each['function'] : each['custom']) as JsonObject | undefined)
    .map((body) => body?.['name']);
  const taken = new Set(own);
  const named = new Map<string, ServerTool>();
  for (const tool of tools) {
    let { name } = tool;
    while (taken.has(name)) name = marked(name);
    taken.add(name);
    named.set(name, tool);
  }
  const mayBeOwn = own.includes(undefined);
  return { named, isOwn: (name) => !named.has(name) && (mayBeOwn || taken.has(name)) };
}

const unknownTool = ({ name }: RoundCall): string =>
  `There is no tool named "${name.slice(0, 100)}". Call one of those that are offered, by its whole name.`;

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

/** A forced choice would force the same call for ever. Which tools may be called, if any, stays. */
function unforced(choice: Json | undefined): JsonObject {
  if (choice === 'none') return { tool_choice: choice };
  if (!isJsonObject(choice) || choice['type'] !== 'allowed_tools') return {};
  const { allowed_tools: allowed } = choice;
  const free = { mode: 'auto' };
  return { tool_choice: { ...choice, ...(isJsonObject(allowed) ? { allowed_tools: { ...allowed, ...free } } : free) } };
}

function bodyOf({ body }: ChatRequest, { messages, decided }: Start, tools: readonly JsonObject[]): ChatBody {
  const { stream_options: _streamOptions, tool_choice: choice, ...plain } = body;
  const chosen = decided ? unforced(choice) : choice === undefined ? {} : { tool_choice: choice };
  return { ...plain, ...chosen, model: body.model, messages, tools };
}

function requirePossible({ n, functions }: ChatBody): void {
  const refuse = (param: string, sentence: string): GatewayError => new GatewayError('invalid_request', `${param}: ${sentence}`, { param });
  if (typeof n === 'number' && n > 1) throw refuse('n', 'only one choice is possible with server-side tools; leave n out.');
  // Calls of this form have no id, by which the rounds before them could be found again.
  if (Array.isArray(functions) && functions.length > 0)
    throw refuse('functions', 'not possible beside server-side tools; put them into tools, as {"type": "function", "function": {…}}.');
}

/** Resolves when the first model call has begun to answer, so that a failure before it is still a plain HTTP error. */
export async function runToolLoop(options: ToolLoopOptions): Promise<ChatEvents> {
  const { body } = options.request;
  requirePossible(body);
  const functions = (body.tools ?? []).filter((tool) => tool['type'] !== 'mcp' && tool['type'] !== 'skill');
  const offered = nameTools(options.tools, functions);
  const start = await startOf(options, body.messages);
  const first = bodyOf(options.request, start, [...functions, ...[...offered.named].map(([name, tool]) => asFunction(name, tool))]);
  const { events } = await options.callModel(asRequest(options.request, first));
  return rounds(options, offered, start, first, events);
}

/** What was told before the model was asked, which has begun to answer meanwhile: a caller who leaves here leaves that answer too. */
async function* tell(told: Start['told'], answer: ChatEvents): AsyncGenerator<readonly ChatEvent[]> {
  let isTold = false;
  try {
    yield* told;
    isTold = true;
  } finally {
    if (!isTold) await endUnread(answer);
  }
}

async function* rounds(
  options: ToolLoopOptions,
  { named, isOwn }: Offered,
  start: Start,
  firstBody: ChatBody,
  firstEvents: ChatEvents,
): AsyncGenerator<readonly ChatEvent[]> {
  const maxSteps = options.maxSteps ?? 8;
  const { owner, states } = options;
  const { hiddenCallerMessages, decidedIds } = start;
  const room = roomBehind(start.messages);
  let body = firstBody;
  let events = firstEvents;
  yield* tell(start.told, events);
  for (let step = 1; ; step++) {
    const round = yield* readRound(
      events,
      (name) => !isOwn(name),
      step > 1,
      (call) => callId(options.run, step, call),
    );
    const serverCalls = round.calls.flatMap((call): ServerCall[] => {
      const tool = named.get(call.name);
      return tool === undefined ? [] : [{ call, tool }];
    });
    const own = round.calls.filter((call) => isOwn(call.name));
    const strange = round.calls.filter((call) => !isOwn(call.name) && !named.has(call.name));
    const clientCalls = own.map((call) => asMessageCall({ ...call, id: call.shown }));
    const assistant: JsonObject = {
      role: 'assistant',
      content: round.text === '' ? null : round.text,
      ...round.thoughts,
      ...(round.calls.length === 0 ? {} : { tool_calls: round.calls.map(asMessageCall) }),
    };
    const needingApproval = serverCalls.filter(({ tool }) => tool.needsApproval);
    const toHold = needingApproval.slice(0, mostAtOnce);
    const made = yield* callTools(
      options,
      serverCalls.filter(({ tool }) => !tool.needsApproval),
      step,
      room,
    );
    const results = [
      ...made,
      ...needingApproval.slice(mostAtOnce).map(({ call }) => toolMessage(call, tooMany)),
      ...strange.map((call) => toolMessage(call, unknownTool(call))),
    ];
    const hidden = [...body.messages, assistant, ...results].slice(start.visible);
    if (clientCalls.length > 0 || toHold.length > 0 || round.calls.length === 0) {
      // The caller runs its own functions and comes back with their results; what it must not see waits till then.
      if (clientCalls.length > 0) {
        const ids = Object.fromEntries(own.map(({ shown, id }) => [shown, id]));
        const heldRun = toHold.length > 0 ? options.run : null;
        await keepHidden(states, owner, { calls: clientCalls, messages: hidden, ids, heldRun, decidedIds, hiddenCallerMessages });
      }
      const held = await holdCalls(states, owner, options.run, toHold, {
        callerMessages: countCallerMessages(options.request.body.messages),
        hidden: clientCalls.length > 0 ? [] : hidden,
        hiddenCallerMessages,
        decidedIds,
      });
      if (held.length > 0)
        yield held.map(({ id, call, tool }) =>
          stepOf({ call, tool }, id, 'approval_required', { input: parseArguments(call.arguments) ?? {} }),
        );
      const reason = clientCalls.length > 0 ? 'tool_calls' : toHold.length > 0 ? 'stop' : round.reason;
      yield [
        { type: 'finish', choice: 0, reason },
        { type: 'response-end', usage: null },
      ];
      return;
    }
    const { tool_choice: choice, ...rest } = body;
    const last = step >= maxSteps;
    const chosen = last ? { tool_choice: 'none' } : unforced(choice);
    body = { ...rest, model: body.model, messages: [...body.messages, assistant, ...results], ...chosen };
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

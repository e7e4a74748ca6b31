/** The loop that runs server-side tools: model, tools, model again, until it answers. One event stream comes out. */
import { sumKnown } from '../types/sum-usage.ts';
import type { Principal } from '../types/access.ts';
import type { ChatBody, ChatEvent, ChatEvents, ChatRequest, StepRecord, Usage } from '../types/chat.ts';
import { GatewayError, toGatewayError } from '../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../types/json.ts';
import type { ToolResult } from '../types/tool-source.ts';
import { hiddenMessages } from './hidden-messages.ts';
import { marked, publicToolName } from './tool-names.ts';
import { readRound, type RoundCall } from './tool-round.ts';
import type { ServerTool } from './tool-requests.ts';

export interface ToolLoopOptions {
  readonly request: ChatRequest;
  readonly principal: Principal;
  readonly tools: readonly ServerTool[];
  /** Rounds of server-side tools; after them one last answer without tools. 8 unless given. */
  readonly maxSteps?: number;
  readonly signal: AbortSignal;
  callModel(request: ChatRequest): Promise<{ readonly events: ChatEvents }>;
  callTool(tool: ServerTool, input: JsonObject, signal: AbortSignal): Promise<ToolResult>;
}

/** By the name that the model sees; one that a function of the caller's already has is changed. */
function nameTools(tools: readonly ServerTool[], functions: readonly JsonObject[]): Map<string, ServerTool> {
  const taken = new Set(
    functions
      .map((each) => (isJsonObject(each['function']) ? each['function'] : each['custom']) as JsonObject | undefined)
      .map((body) => body?.['name']),
  );
  return new Map(
    tools.map((tool) => {
      const name = publicToolName(tool.server.name, tool.definition.name);
      return [taken.has(name) ? marked(name) : name, tool];
    }),
  );
}

function asFunction(name: string, { definition }: ServerTool): JsonObject {
  return {
    type: 'function',
    function: {
      name,
      ...(definition.description === undefined ? {} : { description: definition.description }),
      parameters: definition.inputSchema,
    },
  };
}

/** What the model reads of a tool's result. */
function resultText(result: ToolResult): string {
  const parts = result.content.map((part) =>
    part['type'] === 'text' && typeof part['text'] === 'string' ? part['text'] : JSON.stringify(part),
  );
  if (parts.length === 0 && result.structuredContent !== undefined) return JSON.stringify(result.structuredContent);
  return result.isError === true ? `The tool reports an error: ${parts.join('\n')}` : parts.join('\n');
}

function parseArguments(text: string): JsonObject | null {
  try {
    const parsed = JSON.parse(text === '' ? '{}' : text) as Json;
    return isJsonObject(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

function asMessageCall({ id, name, arguments: given, kind }: RoundCall): JsonObject {
  if (kind === 'custom') return { id, type: 'custom', custom: { name, input: given } };
  return { id, type: 'function', function: { name, arguments: given === '' ? '{}' : given } };
}

/** All that came after the caller's own messages waits for its results. */
function keepHidden(options: ToolLoopOptions, start: ChatBody, calls: readonly JsonObject[], messages: readonly JsonObject[]): void {
  hiddenMessages.keep(options.principal, calls, messages.slice(start.messages.length));
}

/** The caller's own writing of the request does not hold what the loop adds, so only what it lost in translation stays. */
function asRequest({ translated }: ChatRequest, body: ChatBody): ChatRequest {
  return translated === undefined ? { body } : { body, translated };
}

/** Resolves when the first model call has begun to answer, so that a failure before it is still a plain HTTP error. */
export async function runToolLoop(options: ToolLoopOptions): Promise<ChatEvents> {
  const { body } = options.request;
  if (typeof body['n'] === 'number' && body['n'] > 1)
    throw new GatewayError('invalid_request', 'n: only one choice is possible with server-side tools; leave n out.', { param: 'n' });
  const functions = (body.tools ?? []).filter((tool) => tool['type'] !== 'mcp');
  const named = nameTools(options.tools, functions);
  const { stream_options: _streamOptions, ...plain } = body;
  const start: ChatBody = {
    ...plain,
    model: body.model,
    messages: hiddenMessages.restore(options.principal, body.messages),
    tools: [...functions, ...[...named].map(([name, tool]) => asFunction(name, tool))],
  };
  const first = await options.callModel(asRequest(options.request, start));
  return rounds(options, named, start, first.events);
}

async function* rounds(
  options: ToolLoopOptions,
  named: ReadonlyMap<string, ServerTool>,
  start: ChatBody,
  firstEvents: ChatEvents,
): AsyncGenerator<readonly ChatEvent[]> {
  const maxSteps = options.maxSteps ?? 8;
  let body = start;
  let events = firstEvents;
  let usage: Usage | null = null;
  for (let step = 1; ; step++) {
    const round = yield* readRound(events, (name) => named.has(name), step > 1);
    usage = sumKnown([usage, round.usage]);
    const serverCalls = round.calls.filter((call) => named.has(call.name));
    const clientCalls = round.calls.filter((call) => !named.has(call.name)).map(asMessageCall);
    const assistant: JsonObject = {
      role: 'assistant',
      content: round.text === '' ? null : round.text,
      ...(round.calls.length === 0 ? {} : { tool_calls: round.calls.map(asMessageCall) }),
    };
    if (serverCalls.length === 0) {
      if (clientCalls.length > 0 && step > 1) keepHidden(options, start, clientCalls, [...body.messages, assistant]);
      yield [
        { type: 'finish', choice: 0, reason: round.reason },
        { type: 'response-end', usage },
      ];
      return;
    }
    const results = yield* callTools(options, named, serverCalls, step);
    if (clientCalls.length > 0) {
      // The caller runs its own functions and comes back with their results; what it must not see waits here.
      keepHidden(options, start, clientCalls, [...body.messages, assistant, ...results]);
      yield [
        { type: 'finish', choice: 0, reason: 'tool_calls' },
        { type: 'response-end', usage },
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
      const final = yield* readRound(events, () => true, true);
      yield [
        { type: 'finish', choice: 0, reason: final.calls.length > 0 ? 'length' : final.reason },
        { type: 'response-end', usage: sumKnown([usage, final.usage]) },
      ];
      return;
    }
  }
}

/** All calls of one round at once. Failures become messages that the model reads; only the caller's leaving ends the loop. */
async function* callTools(
  options: ToolLoopOptions,
  named: ReadonlyMap<string, ServerTool>,
  calls: readonly RoundCall[],
  step: number,
): AsyncGenerator<readonly ChatEvent[], JsonObject[]> {
  const records = calls.map((call, index): StepRecord => {
    const tool = named.get(call.name) as ServerTool;
    return { id: `${step}.${index + 1}`, kind: 'mcp', capability: `mcp/${tool.server.name}/${tool.definition.name}`, status: 'started' };
  });
  yield records.map((record) => ({ type: 'step', step: record }));
  const answer = async (call: RoundCall): Promise<{ text: string; error?: string }> => {
    const input = parseArguments(call.arguments);
    if (input === null)
      return { text: 'The arguments are not a JSON object. Call the tool again with valid arguments.', error: 'invalid arguments' };
    try {
      const result = await options.callTool(named.get(call.name) as ServerTool, input, options.signal);
      return { text: resultText(result), ...(result.isError === true ? { error: 'the tool reports an error' } : {}) };
    } catch (thrown) {
      const error = toGatewayError(thrown);
      if (options.signal.aborted) throw error;
      return { text: `The tool could not be used: ${error.message}`, error: error.code };
    }
  };
  const results = await Promise.all(
    calls.map(async (call) => {
      const startedAt = Date.now();
      return { ...(await answer(call)), durationMs: Date.now() - startedAt };
    }),
  );
  yield records.map((record, index) => {
    const error = results[index]?.error;
    return {
      type: 'step',
      step: {
        ...record,
        status: error === undefined ? 'completed' : 'failed',
        durationMs: results[index]?.durationMs ?? 0,
        ...(error === undefined ? {} : { error }),
      },
    };
  });
  return calls.map((call, index): JsonObject => ({ role: 'tool', tool_call_id: call.id, content: results[index]?.text ?? '' }));
}

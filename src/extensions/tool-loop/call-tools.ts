/** Executes the tool calls of one round concurrently. Each ends as a tool message for the model. */
import type { ChatEvent } from '../../types/chat.ts';
import { toGatewayError } from '../../types/errors.ts';
import type { JsonObject } from '../../types/json.ts';
import type { ToolResult } from '../../types/tool-source.ts';
import type { ServerTool } from './tool-requests.ts';
import { overBudget, type ResultBudget, spend } from './result-budget.ts';
import { resultText } from './result-text.ts';
import { mostAtOnce, parseArguments, type ServerCall, stepEvent, tooMany, toolMessage } from './server-call.ts';
import { monotonicNow } from '../../scheduling/monotonic-clock.ts';

export interface CallContext {
  readonly signal: AbortSignal;
  /** True when a person has approved this call. */
  readonly approved: boolean;
}

/** Executes tool calls for the loop. */
export interface ToolExecutor {
  readonly signal: AbortSignal;
  callTool(tool: ServerTool, input: JsonObject, context: CallContext): Promise<ToolResult>;
}

export interface CallOptions {
  /** Prefix of the step ids. */
  readonly stepPrefix: number | string;
  readonly budget: ResultBudget;
  /** True when a person has approved each of the calls. */
  readonly approved?: boolean;
  /** Called with each result as it arrives, even if the rest is cancelled. `error` is null for a success. */
  readonly onResult?: (index: number, message: JsonObject, error: string | null) => void;
}

/** The result of a call: the tool message for the model, and an error code or null. */
interface CallEnd {
  readonly text: string;
  readonly error: string | null;
}

/** Turns failures into tool messages. Throws only when the caller has left. */
async function runCall(
  executor: ToolExecutor,
  { call, tool }: ServerCall,
  { budget, approved = false }: Pick<CallOptions, 'budget' | 'approved'>,
): Promise<CallEnd> {
  const input = parseArguments(call.arguments);
  if (input === null)
    return { text: 'The arguments are not a JSON object. Call the tool again with valid arguments.', error: 'invalid arguments' };
  try {
    const result = await executor.callTool(tool, input, { signal: executor.signal, approved });
    const text = resultText(result);
    if (!spend(budget, text)) return { text: overBudget, error: 'too much in all' };
    if (result.isError === true) return { text: `The tool reports an error: ${text}`, error: 'the tool reports an error' };
    return { text, error: null };
  } catch (thrown) {
    const error = toGatewayError(thrown);
    if (executor.signal.aborted) throw error;
    return { text: `The tool could not be used: ${error.message}`, error: error.code };
  }
}

/** Yields a step when a call starts and when it ends. Returns the messages in the order of the calls. */
export async function* callTools(
  executor: ToolExecutor,
  calls: readonly ServerCall[],
  options: CallOptions,
): AsyncGenerator<readonly ChatEvent[], JsonObject[]> {
  if (calls.length === 0) return [];
  const idOf = (index: number): string => `${options.stepPrefix}.${index + 1}`;
  const startedAt = monotonicNow();
  const messages: JsonObject[] = [];
  const run = async (each: ServerCall, index: number) => {
    const end = index < mostAtOnce ? await runCall(executor, each, options) : { text: tooMany, error: 'too many calls' };
    return { ...end, each, index, duration_ms: monotonicNow() - startedAt };
  };
  const running = new Map(calls.map((each, index) => [index, run(each, index)]));
  // The first rejection reports that the caller has left; the others are expected.
  for (const called of running.values()) called.catch(() => {});
  yield calls.map((each, index) => stepEvent(each, { id: idOf(index), status: 'started' }));
  while (running.size > 0) {
    const { each, index, text, error, duration_ms } = await Promise.race(running.values());
    running.delete(index);
    const message = toolMessage(each.call, text);
    messages[index] = message;
    options.onResult?.(index, message, error);
    const status = error === null ? 'completed' : 'failed';
    yield [stepEvent(each, { id: idOf(index), status, duration_ms, ...(error === null ? {} : { error }) }, text)];
  }
  return messages;
}

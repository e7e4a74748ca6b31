/** The calls of one round, run at once: each ends as a message that the model reads. */
import type { ChatEvent, StepRecord } from '../../types/chat.ts';
import { toGatewayError } from '../../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';
import type { ToolResult } from '../../types/tool-source.ts';
import type { ServerTool } from './requests.ts';
import { resultText } from './result-text.ts';
import type { RoundCall } from './round.ts';

/** A call of a tool that Pailou runs itself. */
export interface ServerCall {
  readonly call: RoundCall;
  readonly tool: ServerTool;
  /** That of a held call, which a person allowed. */
  readonly id?: string;
}

export interface ToolCaller {
  readonly signal: AbortSignal;
  /** `approved`: a person has agreed to this very call. */
  callTool(tool: ServerTool, input: JsonObject, signal: AbortSignal, approved: boolean): Promise<ToolResult>;
}

/** More calls than this in one answer are a model gone astray. */
export const mostAtOnce = 64;

export const tooMany = `Too many calls at once; at most ${mostAtOnce} are made.`;

/** More characters than any model reads: all results of one conversation may have so many, for all of them lie in memory. */
const mostText = 32 * 1024 * 1024;

const noRoom = `The result is left out: all results together would have more than ${mostText} characters. Ask for less, for example a page or a range.`;

/** How many characters results may still have. */
export interface Room {
  left: number;
}

/** Behind the results that are there already. */
export function roomBehind(messages: readonly JsonObject[]): Room {
  const sizeOf = ({ role, content }: JsonObject): number => (role === 'tool' && typeof content === 'string' ? content.length : 0);
  return { left: mostText - messages.reduce((sum, message) => sum + sizeOf(message), 0) };
}

/** The arguments of a call as an object; null for what is none. */
export function parseArguments(text: string): JsonObject | null {
  try {
    const parsed = JSON.parse(text === '' ? '{}' : text) as Json;
    return isJsonObject(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

export function toolMessage(call: RoundCall, content: string): JsonObject {
  return { role: 'tool', tool_call_id: call.id, content };
}

function kindOf({ capability }: ServerTool): StepRecord['kind'] {
  return capability.startsWith('skill/') ? 'skill' : 'mcp';
}

/** A step as it is told before and after. */
export function stepOf(
  { tool, call, id: approval }: ServerCall,
  id: string,
  status: StepRecord['status'],
  more: Partial<StepRecord> = {},
  output?: string,
): ChatEvent {
  return {
    type: 'step',
    step: { id, kind: kindOf(tool), capability: tool.capability, status, ...more },
    call: {
      arguments: call.arguments,
      ...(output === undefined ? {} : { output }),
      ...(approval === undefined ? {} : { approval }),
    },
  };
}

/** Failures become messages that the model reads; only the caller's leaving is thrown. */
async function answer(
  options: ToolCaller,
  { call, tool }: ServerCall,
  index: number,
  approved: boolean,
  room: Room,
): Promise<{ text: string; error?: string }> {
  if (index >= mostAtOnce) return { text: tooMany, error: 'too many calls' };
  const input = parseArguments(call.arguments);
  if (input === null)
    return { text: 'The arguments are not a JSON object. Call the tool again with valid arguments.', error: 'invalid arguments' };
  try {
    const result = await options.callTool(tool, input, options.signal, approved);
    const text = resultText(result);
    if (text.length > room.left) return { text: noRoom, error: 'too much in all' };
    room.left -= text.length;
    return result.isError === true ? { text: `The tool reports an error: ${text}`, error: 'the tool reports an error' } : { text };
  } catch (thrown) {
    const error = toGatewayError(thrown);
    if (options.signal.aborted) throw error;
    return { text: `The tool could not be used: ${error.message}`, error: error.code };
  }
}

/** Yields a step when each begins and as soon as each has ended; returns the messages in the order of the calls. `came` hears of each as it comes, also where the rest is cut off. */
export async function* callTools(
  options: ToolCaller,
  calls: readonly ServerCall[],
  round: number | string,
  room: Room,
  approved = false,
  came: (index: number, message: JsonObject, error: string | null) => void = () => {},
): AsyncGenerator<readonly ChatEvent[], JsonObject[]> {
  if (calls.length === 0) return [];
  const idOf = (index: number): string => `${round}.${index + 1}`;
  const startedAt = Date.now();
  const texts: string[] = [];
  const running = new Map(
    calls.map((each, index) => {
      const called = answer(options, each, index, approved, room).then((result) => ({
        ...result,
        index,
        duration_ms: Date.now() - startedAt,
      }));
      // The first who hears that the caller has left tells it; the others have nobody left to tell.
      called.catch(() => {});
      return [index, called] as const;
    }),
  );
  yield calls.map((each, index) => stepOf(each, idOf(index), 'started'));
  while (running.size > 0) {
    const { index, text, error, duration_ms } = await Promise.race(running.values());
    running.delete(index);
    texts[index] = text;
    came(index, toolMessage((calls[index] as ServerCall).call, text), error ?? null);
    const more = { duration_ms, ...(error === undefined ? {} : { error }) };
    yield [stepOf(calls[index] as ServerCall, idOf(index), error === undefined ? 'completed' : 'failed', more, text)];
  }
  return calls.map(({ call }, index) => toolMessage(call, texts[index] ?? ''));
}

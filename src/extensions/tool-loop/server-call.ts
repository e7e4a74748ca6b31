/** A call of a server-side tool: its arguments, its tool message and its step event. */
import type { ChatEvent, StepRecord } from '../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';
import type { ServerTool } from './tool-requests.ts';
import type { RoundCall } from './read-round.ts';

export interface ServerCall {
  readonly call: RoundCall;
  readonly tool: ServerTool;
  /** The id of a pending call that was approved. */
  readonly id?: string;
}

/** The most calls that are executed of one answer. */
export const mostAtOnce = 64;

export const tooMany = `Too many calls at once; at most ${mostAtOnce} are made.`;

/** Parses arguments. Returns null for anything but a JSON object. */
export function parseArguments(text: string): JsonObject | null {
  try {
    const parsed = JSON.parse(text === '' ? '{}' : text) as Json;
    return isJsonObject(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

/** The tool message of a call. */
export function toolMessage(call: RoundCall, content: string): JsonObject {
  return { role: 'tool', tool_call_id: call.id, content };
}

/** The step event before or after a call. `output` is the text of the tool message, once the call has ended. */
export function stepEvent(
  { tool: { capability }, call, id: approval }: ServerCall,
  { id, status, ...more }: Omit<StepRecord, 'kind' | 'capability'>,
  output?: string,
): ChatEvent {
  return {
    type: 'step',
    step: { id, kind: capability.startsWith('skill/') ? 'skill' : 'mcp', capability, status, ...more },
    call: {
      arguments: call.arguments,
      ...(output === undefined ? {} : { output }),
      ...(approval === undefined ? {} : { approval }),
    },
  };
}

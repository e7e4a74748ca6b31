/** A call of a tool that Pailou runs itself: as the model wrote it, as the model reads of it, and as the caller is told. */
import type { ChatEvent, StepRecord } from '../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';
import type { ServerTool } from './tool-requests.ts';
import type { RoundCall } from './read-round.ts';

export interface ServerCall {
  readonly call: RoundCall;
  readonly tool: ServerTool;
  /** That of a held call, which a person allowed. */
  readonly id?: string;
}

/** More calls than this in one answer are a model gone astray. */
export const mostAtOnce = 64;

export const tooMany = `Too many calls at once; at most ${mostAtOnce} are made.`;

/** The arguments of a call as an object; null for what is none. */
export function parseArguments(text: string): JsonObject | null {
  try {
    const parsed = JSON.parse(text === '' ? '{}' : text) as Json;
    return isJsonObject(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

/** What the model reads of a call. */
export function toolMessage(call: RoundCall, content: string): JsonObject {
  return { role: 'tool', tool_call_id: call.id, content };
}

/** A step of the call, before it or after. `output` is what the model read of the call, once it has ended. */
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

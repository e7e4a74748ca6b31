/** The tools that the model is offered, by the names that it sees, and what becomes of its calls of them. */
import { marked } from '../../models/tool-names.ts';
import { isJsonObject, type JsonObject } from '../../types/json.ts';
import type { ServerTool } from './tool-requests.ts';
import type { RoundCall } from './read-round.ts';
import { mostAtOnce, type ServerCall, toolMessage, tooMany } from './server-call.ts';

export interface OfferedTools {
  /** In the shape of a request: the caller's own, then those that Pailou runs. */
  readonly definitions: readonly JsonObject[];
  readonly serverTools: ReadonlyMap<string, ServerTool>;
  /** Calls of the caller's own; also of what nobody knows, where the caller offers tools without names. */
  readonly isOwn: (name: string) => boolean;
}

/** The calls of one round, by what becomes of them. */
export interface SplitCalls {
  /** The caller carries them out. */
  readonly own: readonly RoundCall[];
  /** Pailou carries them out, at once. */
  readonly ready: readonly ServerCall[];
  /** Each needs a person to agree. */
  readonly toHold: readonly ServerCall[];
  /** What the model reads of those that nobody carries out. */
  readonly refusals: readonly JsonObject[];
}

function asFunction(name: string, { description, inputSchema }: ServerTool): JsonObject {
  return { type: 'function', function: { name, ...(description === undefined ? {} : { description }), parameters: inputSchema } };
}

/** `ownTools` are the caller's. A name that one of them or another tool already has is changed. */
export function offerTools(tools: readonly ServerTool[], ownTools: readonly JsonObject[]): OfferedTools {
  const ownNames = ownTools
    .map((each) => (isJsonObject(each['function']) ? each['function'] : each['custom']) as JsonObject | undefined)
    .map((body) => body?.['name']);
  const taken = new Set(ownNames);
  const serverTools = new Map<string, ServerTool>();
  for (const tool of tools) {
    let { name } = tool;
    while (taken.has(name)) name = marked(name);
    taken.add(name);
    serverTools.set(name, tool);
  }
  const mayBeOwn = ownNames.includes(undefined);
  return {
    definitions: [...ownTools, ...[...serverTools].map(([name, tool]) => asFunction(name, tool))],
    serverTools,
    isOwn: (name) => !serverTools.has(name) && (mayBeOwn || taken.has(name)),
  };
}

function unknownTool(call: RoundCall): JsonObject {
  const name = call.name.slice(0, 100);
  return toolMessage(call, `There is no tool named "${name}". Call one of those that are offered, by its whole name.`);
}

/** No more calls are held than can be decided on at once. */
export function splitCalls(calls: readonly RoundCall[], { serverTools, isOwn }: OfferedTools): SplitCalls {
  const serverCalls = calls.flatMap((call): ServerCall[] => {
    const tool = serverTools.get(call.name);
    return tool === undefined ? [] : [{ call, tool }];
  });
  const needApproval = serverCalls.filter(({ tool }) => tool.requiresApproval);
  const unknown = calls.filter(({ name }) => !isOwn(name) && !serverTools.has(name));
  return {
    own: calls.filter(({ name }) => isOwn(name)),
    ready: serverCalls.filter(({ tool }) => !tool.requiresApproval),
    toHold: needApproval.slice(0, mostAtOnce),
    refusals: [...needApproval.slice(mostAtOnce).map(({ call }) => toolMessage(call, tooMany)), ...unknown.map(unknownTool)],
  };
}

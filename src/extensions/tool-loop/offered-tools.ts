/** The tools that the model is offered, under unique names, and the routing of its calls. */
import { marked } from '../../models/tool-names.ts';
import { isJsonObject, type JsonObject } from '../../types/json.ts';
import type { ServerTool } from './tool-requests.ts';
import type { RoundCall } from './read-round.ts';
import { mostAtOnce, type ServerCall, toolMessage, tooMany } from './server-call.ts';

export interface OfferedTools {
  /** Tool definitions of the request: the caller's own, then the server-side ones. */
  readonly definitions: readonly JsonObject[];
  readonly serverTools: ReadonlyMap<string, ServerTool>;
  /** True for the caller's own tools, and for unknown names when the caller offers tools without names. */
  readonly isOwn: (name: string) => boolean;
}

/** The calls of one round by who handles them. */
export interface SplitCalls {
  /** Executed by the caller. */
  readonly own: readonly RoundCall[];
  /** Executed by Pailou now. */
  readonly ready: readonly ServerCall[];
  /** Waiting for an approval each. */
  readonly toHold: readonly ServerCall[];
  /** Tool messages for calls that are refused. */
  readonly refusals: readonly JsonObject[];
}

function asFunction(name: string, { description, inputSchema }: ServerTool): JsonObject {
  return { type: 'function', function: { name, ...(description === undefined ? {} : { description }), parameters: inputSchema } };
}

/** `ownTools` are the caller's. A server-side tool whose name is taken gets another name. */
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

/** Splits the calls. The number of pending calls is bounded by what one request can decide. */
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

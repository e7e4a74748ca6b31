/** Converts `tool_choice` of the Responses format to chat completions. */
import type { Demand } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { clientRunTool } from './client-run-tools.ts';
import type { OfferedTools } from './offered-tools.ts';
import { invalid, typeName } from './request-errors.ts';

export interface ToolChoice {
  /** Undefined leaves the choice to the model. */
  readonly choice: Json | undefined;
  /** The choice of a tool that only OpenAI's own service runs. */
  readonly demand?: Demand;
}

function byName(offered: OfferedTools, name: string): JsonObject {
  const type = offered.of(name)?.kind === 'custom' ? 'custom' : 'function';
  return { type, [type]: { name } };
}

/** The tools that one entry names; undefined for a tool that runs at OpenAI. */
function entry(offered: OfferedTools, given: JsonObject, path: string): readonly JsonObject[] | undefined {
  const { type, name, namespace } = given;
  if (type === 'function' || type === 'custom') {
    if (typeof name !== 'string' || name === '') throw invalid(`${path}.name`, 'is missing.');
    const flat = offered.chosen(typeof namespace === 'string' ? namespace : undefined, name);
    return [offered.of(flat) === undefined ? { type, [type]: { name: flat } } : byName(offered, flat)];
  }
  if (type === 'namespace' && typeof name === 'string') return offered.namesIn(name).map((each) => byName(offered, each));
  const own = clientRunTool(given);
  return own === undefined ? undefined : [byName(offered, offered.nameForRun(own))];
}

function hosted(type: string): ToolChoice {
  return { choice: undefined, demand: { param: 'tool_choice', need: `tool ${type} that runs at OpenAI` } };
}

function among(tools: readonly JsonObject[], mode: string): Json {
  return { type: 'allowed_tools', allowed_tools: { mode, tools } };
}

function allowed(choice: JsonObject, offered: OfferedTools): ToolChoice {
  const given = Array.isArray(choice['tools']) ? (choice['tools'] as readonly Json[]) : [];
  const isRequired = choice['mode'] === 'required';
  const tools = given.flatMap((each, index) => {
    const path = `tool_choice.tools[${index}]`;
    if (!isJsonObject(each)) throw invalid(path, 'must be an object with a type.');
    return entry(offered, each, path) ?? [];
  });
  if (tools.length > 0) return { choice: among(tools, isRequired ? 'required' : 'auto') };
  return isRequired ? hosted(typeName(isJsonObject(given[0]) ? given[0]['type'] : undefined)) : { choice: 'none' };
}

/** Throws a fault naming the field. */
export function readToolChoice(choice: Json | undefined, offered: OfferedTools): ToolChoice {
  if (choice === undefined || choice === null) return { choice: undefined };
  if (choice === 'auto' || choice === 'none') return { choice };
  if (choice === 'required') {
    const [first] = offered.hosted;
    return offered.tools.length === 0 && first !== undefined ? hosted(first) : { choice };
  }
  if (!isJsonObject(choice)) throw invalid('tool_choice', 'must be auto, none, required or an object with a type.');
  const { type } = choice;
  if (type === 'allowed_tools') return allowed(choice, offered);
  // A server of the gateway: its tools have names of their own.
  if (type === 'mcp' && offered.tools.some((tool) => tool['type'] === 'mcp')) return { choice: 'required' };
  const chosen = entry(offered, choice, 'tool_choice');
  if (chosen === undefined) return hosted(typeName(type));
  const [first] = chosen;
  return { choice: chosen.length === 1 && first !== undefined ? first : among(chosen, 'required') };
}

/** Reads the server-side tools of a chat request: `{"type":"mcp","server_label":…}` and `{"type":"skill","name":…}` beside `function` tools. */
import type { ChatBody } from '../../types/chat.ts';
import { GatewayError } from '../../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';
import { didYouMean, nearMatches } from '../../text/did-you-mean.ts';

export type ServerToolRequest =
  | {
      readonly type: 'mcp';
      /** Its index in `tools`, for messages. */
      readonly index: number;
      readonly serverLabel: string;
      /** Null for all tools that the caller may use. */
      readonly allowedTools: readonly string[] | null;
      /** True when the caller demands an approval before this tool runs. The administrator's policy adds to it. */
      readonly asks: (tool: string) => boolean;
    }
  | { readonly type: 'skill'; readonly index: number; readonly name: string; readonly asks: (tool: string) => boolean };

/** A tool that Pailou executes for the model. */
export interface ServerTool {
  /** `mcp/<server>/<tool>` or `skill/<name>`. */
  readonly capability: string;
  /** The name for the model, unless the caller has a function of that name. */
  readonly name: string;
  readonly description?: string;
  readonly inputSchema: JsonObject;
  /** True when each call needs an approval. */
  readonly requiresApproval: boolean;
}

function refuse(index: number, field: string, message: string): GatewayError {
  const param = `tools[${index}].${field}`;
  return new GatewayError('invalid_request', `${param}: ${message}`, { param });
}

/** Connection fields of OpenAI's format. The administrator's row replaces them; some clients always send them. */
const ofOpenai = ['server_url', 'server_description', 'connector_id', 'authorization', 'headers', 'defer_loading'];
const fields = {
  mcp: ['type', 'server_label', 'allowed_tools', 'require_approval', 'cache_control', ...ofOpenai],
  skill: ['type', 'name', 'require_approval', 'cache_control'],
};

/** Refuses unknown fields: one could be a misspelt restriction. */
function requireKnown(given: JsonObject, known: readonly string[], index: number, under = ''): void {
  const unknownField = Object.keys(given).find((field) => !known.includes(field) && given[field] !== null);
  if (unknownField === undefined) return;
  const hint = didYouMean(unknownField, known) || ` Possible are ${known.join(', ')}.`;
  throw refuse(index, `${under}${unknownField.slice(0, 100)}`, `is not a field here.${hint}`);
}

const isNames = (value: Json | undefined): value is string[] => Array.isArray(value) && value.every((name) => typeof name === 'string');

/** Reads `"always"`, `"never"`, or `{ "always": { "tool_names": […] }, "never": { "tool_names": […] } }`. `always` alone restricts approval to its tools; `never` exempts its tools. */
function readApproval(approval: Json | undefined, index: number): (tool: string) => boolean {
  if (approval === undefined || approval === null || approval === 'never') return () => false;
  if (approval === 'always') return () => true;
  if (isJsonObject(approval)) requireKnown(approval, ['always', 'never'], index, 'require_approval.');
  const namesOf = (field: string): string[] | null => {
    const part = isJsonObject(approval) ? approval[field] : undefined;
    if (isJsonObject(part)) requireKnown(part, ['tool_names'], index, `require_approval.${field}.`);
    const names = isJsonObject(part) ? part['tool_names'] : undefined;
    return isNames(names) ? names : null;
  };
  const [always, never] = [namesOf('always'), namesOf('never')];
  if (always === null && never === null)
    throw refuse(
      index,
      'require_approval',
      'must be "always", "never", or lists of tools: {"always": {"tool_names": […]}, "never": {"tool_names": […]}}.',
    );
  if (never === null) return (tool) => always?.includes(tool) === true;
  return (tool) => always?.includes(tool) === true || !never.includes(tool);
}

function readServer(tool: JsonObject, index: number): ServerToolRequest {
  requireKnown(tool, fields.mcp, index);
  const { server_label: serverLabel, allowed_tools: allowed, require_approval: approval } = tool;
  if (tool['server_url'] !== undefined)
    throw refuse(
      index,
      'server_url',
      'addresses in a request are not followed; ask an administrator to register the server, and name it as server_label.',
    );
  if (typeof serverLabel !== 'string' || serverLabel === '')
    throw refuse(index, 'server_label', 'must be the name of a registered MCP server.');
  if (isJsonObject(allowed)) requireKnown(allowed, ['tool_names'], index, 'allowed_tools.');
  const names = isJsonObject(allowed) ? allowed['tool_names'] : allowed;
  if (names !== undefined && names !== null && !isNames(names)) throw refuse(index, 'allowed_tools', 'must be a list of tool names.');
  return { type: 'mcp', index, serverLabel, allowedTools: names ?? null, asks: readApproval(approval, index) };
}

function readSkill(tool: JsonObject, index: number): ServerToolRequest {
  requireKnown(tool, fields.skill, index);
  const { name, require_approval: approval } = tool;
  if (typeof name !== 'string' || name === '') throw refuse(index, 'name', 'must be the name of a skill, as GET /v1/skills lists them.');
  return { type: 'skill', index, name, asks: readApproval(approval, index) };
}

/** Vendor tools pass unchanged. A type that resembles ours is refused, because the vendor would not know it. */
function refuseSlip(type: Json | undefined, index: number): void {
  if (typeof type !== 'string' || type === 'function' || type === 'custom') return;
  const [suggestion] = nearMatches(type, ['mcp', 'skill', 'skills']);
  if (suggestion === undefined) return;
  throw refuse(index, 'type', `there is no tool of the type "${type}". Did you mean "${suggestion === 'mcp' ? suggestion : 'skill'}"?`);
}

/** The server-side tools of a request. Empty when there are none: the request bypasses the loop. Throws `invalid_request` naming the field. */
export function serverToolRequests(body: ChatBody): ServerToolRequest[] {
  const { tools } = body;
  if (tools === undefined || tools === null) return [];
  return tools.flatMap((tool, index) => {
    if (tool['type'] === 'mcp') return [readServer(tool, index)];
    if (tool['type'] === 'skill') return [readSkill(tool, index)];
    refuseSlip(tool['type'], index);
    return [];
  });
}

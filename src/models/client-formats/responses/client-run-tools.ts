/** OpenAI's tools that the client itself runs. Other vendors are offered a function for each; its calls return to the client as items of the tool's own type. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { pickFields } from '../../pick-fields.ts';

export interface ClientRunTool {
  /** The type of the tool in `tools`. */
  readonly type: string;
  /** The types of its items. */
  readonly call: string;
  readonly output: string;
  /** The prefix of its items' ids. */
  readonly prefix: 'tsc' | 'lsh' | 'sh' | 'apc' | 'cu';
  readonly description: string;
  readonly parameters: JsonObject;
  /** The members of a call item, for arguments of the function. */
  writeCall(given: JsonObject): JsonObject;
  /** The arguments of the function, for a call item. */
  readCall(item: JsonObject): Json;
  /** The content of a result item, as parts or text in the Responses format. `nameFor`: the function name of a tool. */
  readOutput(item: JsonObject, nameFor: (namespace: string | undefined, name: string) => string): Json;
}

const text = { type: 'string' };
const whole = { type: 'integer' };
const texts = { type: 'array', items: text };

function schema(properties: JsonObject, required: readonly string[]): JsonObject {
  return { type: 'object', properties, required, additionalProperties: false };
}

function textList(value: Json | undefined, single: (text: string) => readonly string[]): readonly Json[] {
  if (typeof value === 'string') return single(value);
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

function member(item: JsonObject, name: string): JsonObject {
  const value = item[name];
  return isJsonObject(value) ? value : {};
}

function textOrJson(output: Json | undefined): Json {
  if (typeof output === 'string') return output;
  return output === undefined || output === null ? '' : JSON.stringify(output);
}

const toolSearch: ClientRunTool = {
  type: 'tool_search',
  call: 'tool_search_call',
  output: 'tool_search_output',
  prefix: 'tsc',
  description: 'Searches for further tools. The tools that it finds can be called afterwards.',
  parameters: schema({ query: text, limit: whole }, ['query']),
  writeCall: (given) => ({ execution: 'client', arguments: given }),
  readCall: (item) => item['arguments'] ?? {},
  readOutput: ({ tools }, nameFor) => {
    const found = (Array.isArray(tools) ? (tools as readonly Json[]) : []).filter(isJsonObject).flatMap((tool) => {
      const { type, name, tools: inner } = tool;
      const isNamespace = type === 'namespace' && typeof name === 'string' && Array.isArray(inner);
      const all = isNamespace ? (inner as readonly Json[]).filter(isJsonObject) : [tool];
      return all.map((each) => ({
        name: nameFor(isNamespace ? name : undefined, typeof each['name'] === 'string' ? each['name'] : ''),
        ...pickFields(each, ['description']),
      }));
    });
    return found.length === 0 ? 'No tools were found.' : JSON.stringify({ tools: found });
  },
};

const localShell: ClientRunTool = {
  type: 'local_shell',
  call: 'local_shell_call',
  output: 'local_shell_call_output',
  prefix: 'lsh',
  description: 'Runs a command on the computer of the user and returns its output.',
  parameters: schema({ command: { ...texts, description: 'The program and its arguments.' }, working_directory: text, timeout_ms: whole }, [
    'command',
  ]),
  writeCall: (given) => ({
    action: {
      type: 'exec',
      command: textList(given['command'], (line) => ['bash', '-lc', line]),
      env: member(given, 'env'),
      ...pickFields(given, ['working_directory', 'timeout_ms', 'user']),
    },
  }),
  readCall: (item) => pickFields(member(item, 'action'), ['command', 'env', 'working_directory', 'timeout_ms', 'user']),
  readOutput: ({ output }) => textOrJson(output),
};

const shell: ClientRunTool = {
  type: 'shell',
  call: 'shell_call',
  output: 'shell_call_output',
  prefix: 'sh',
  description: 'Runs shell commands on the computer of the user and returns their outputs.',
  parameters: schema({ commands: texts, timeout_ms: whole, max_output_length: whole }, ['commands']),
  writeCall: (given) => ({
    action: {
      commands: textList(given['commands'] ?? given['command'], (line) => [line]),
      timeout_ms: given['timeout_ms'] ?? null,
      max_output_length: given['max_output_length'] ?? null,
    },
    environment: { type: 'local' },
  }),
  readCall: (item) => pickFields(member(item, 'action'), ['commands', 'timeout_ms', 'max_output_length']),
  readOutput: ({ output }) => textOrJson(output),
};

/** Complete, because clients refuse an operation that lacks a member. */
function operationOf({ type, path, diff }: JsonObject): JsonObject {
  const kind = type === 'create_file' || type === 'delete_file' ? type : 'update_file';
  return { type: kind, path: textOrJson(path), ...(kind === 'delete_file' ? {} : { diff: textOrJson(diff) }) };
}

const applyPatch: ClientRunTool = {
  type: 'apply_patch',
  call: 'apply_patch_call',
  output: 'apply_patch_call_output',
  prefix: 'apc',
  description:
    'Creates, changes or deletes one file. diff has the whole file with + before each line (create_file), or the changed lines with - and + among lines of context, under a line @@ (update_file).',
  parameters: schema({ type: { type: 'string', enum: ['create_file', 'update_file', 'delete_file'] }, path: text, diff: text }, [
    'type',
    'path',
  ]),
  writeCall: (given) => ({
    operation: operationOf(isJsonObject(given['operation']) ? given['operation'] : given),
  }),
  readCall: (item) => pickFields(member(item, 'operation'), ['type', 'path', 'diff']),
  readOutput: ({ output, status }) => (typeof output === 'string' && output !== '' ? output : status === 'failed' ? 'Failed.' : 'Done.'),
};

const action = {
  type: 'object',
  properties: {
    type: { type: 'string', enum: ['click', 'double_click', 'drag', 'keypress', 'move', 'screenshot', 'scroll', 'type', 'wait'] },
    x: whole,
    y: whole,
    button: { type: 'string', enum: ['left', 'right', 'wheel', 'back', 'forward'] },
    text,
    keys: texts,
    scroll_x: whole,
    scroll_y: whole,
    path: { type: 'array', items: schema({ x: whole, y: whole }, ['x', 'y']) },
  },
  required: ['type'],
};

function computer(type: string): ClientRunTool {
  return {
    type,
    call: 'computer_call',
    output: 'computer_call_output',
    prefix: 'cu',
    description: 'Acts on the screen of a computer and returns a screenshot. Call it with the action screenshot to see the screen.',
    parameters: schema({ actions: { type: 'array', items: action } }, ['actions']),
    writeCall: (given) => {
      const actions = Array.isArray(given['actions'])
        ? (given['actions'] as readonly Json[])
        : [given['action'] ?? (given['type'] === undefined ? { type: 'screenshot' } : given)];
      // The preview of the tool takes one action at a time.
      const acts = type === 'computer_use_preview' ? { action: actions[0] ?? { type: 'screenshot' } } : { actions };
      return { ...acts, pending_safety_checks: [] };
    },
    readCall: (item) => ({ actions: item['actions'] ?? (item['action'] === undefined ? [] : [item['action']]) }),
    readOutput: ({ output }) => (isJsonObject(output) ? [output] : textOrJson(output)),
  };
}

const tools: readonly ClientRunTool[] = [
  toolSearch,
  localShell,
  shell,
  applyPatch,
  computer('computer'),
  computer('computer_use'),
  computer('computer_use_preview'),
];

const byType = new Map(tools.map((tool) => [tool.type, tool]));
const byCall = new Map(tools.toReversed().map((tool) => [tool.call, tool]));
const byOutput = new Map(tools.toReversed().map((tool) => [tool.output, tool]));

/** The tool of a type that the client runs itself; undefined for all others, such as a shell in a container of OpenAI's. */
export function clientRunTool(tool: JsonObject): ClientRunTool | undefined {
  const { type, environment, execution } = tool;
  if (type === 'shell' && isJsonObject(environment) && environment['type'] !== 'local') return undefined;
  if (type === 'tool_search' && execution === 'server') return undefined;
  return typeof type === 'string' ? byType.get(type) : undefined;
}

/** The tool whose call is an item of this type. */
export function toolOfCall(type: string): ClientRunTool | undefined {
  return byCall.get(type);
}

/** The tool whose result is an item of this type. */
export function toolOfOutput(type: string): ClientRunTool | undefined {
  return byOutput.get(type);
}

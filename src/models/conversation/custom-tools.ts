/** OpenAI's free-text tools as functions with one text field, for vendors that have functions only. */
import type { ChatBody, ChatRequest } from '../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';

const parameters: JsonObject = {
  type: 'object',
  properties: { input: { type: 'string', description: 'The input of the tool as plain text.' } },
  required: ['input'],
  additionalProperties: false,
};

function isCustom(tool: JsonObject): boolean {
  return tool['type'] === 'custom' && isJsonObject(tool['custom']);
}

const noNames: ReadonlySet<string> = new Set();

/** The names of the free-text tools that a request offers. */
export function customToolNames(tools: readonly JsonObject[] | undefined): ReadonlySet<string> {
  if (tools === undefined || tools === null || tools.length === 0) return noNames;
  const names = new Set<string>();
  for (const tool of tools) {
    const custom = tool['custom'];
    if (tool['type'] === 'custom' && isJsonObject(custom) && typeof custom['name'] === 'string') names.add(custom['name']);
  }
  return names;
}

/** A grammar that the vendor cannot enforce, as a sentence for the model. */
function grammarNote({ format }: JsonObject): string {
  const grammar = isJsonObject(format) ? (format['grammar'] ?? format) : undefined;
  if (!isJsonObject(grammar) || typeof grammar['definition'] !== 'string') return '';
  const syntax = typeof grammar['syntax'] === 'string' ? grammar['syntax'] : 'Lark';
  return `The input must match this ${syntax} grammar:\n${grammar['definition'].trim()}`;
}

function asFunction(tool: JsonObject): JsonObject {
  const custom = tool['custom'];
  if (!isCustom(tool) || !isJsonObject(custom)) return tool;
  const given = typeof custom['description'] === 'string' ? custom['description'] : '';
  const description = [given, grammarNote(custom)].filter((part) => part !== '').join('\n\n');
  return { type: 'function', function: { name: custom['name'] ?? '', ...(description === '' ? {} : { description }), parameters } };
}

function callAsFunction(call: Json): Json {
  if (!isJsonObject(call) || !isCustom(call)) return call;
  const { custom, ...rest } = call;
  if (!isJsonObject(custom)) return call;
  const { name, input } = custom;
  return { ...rest, type: 'function', function: { name: name ?? '', arguments: JSON.stringify({ input: input ?? '' }) } };
}

function callsCustom(message: JsonObject): boolean {
  const calls = message['tool_calls'];
  return Array.isArray(calls) && (calls as readonly Json[]).some((call) => isJsonObject(call) && isCustom(call));
}

function messageAsFunction(message: JsonObject): JsonObject {
  return callsCustom(message) ? { ...message, tool_calls: (message['tool_calls'] as readonly Json[]).map(callAsFunction) } : message;
}

function choiceAsFunction(choice: Json): Json {
  if (!isJsonObject(choice)) return choice;
  if (isCustom(choice)) return { type: 'function', function: choice['custom'] ?? {} };
  const allowed = choice['allowed_tools'];
  if (!isJsonObject(allowed) || !Array.isArray(allowed['tools'])) return choice;
  return { ...choice, allowed_tools: { ...allowed, tools: (allowed['tools'] as readonly Json[]).map(choiceAsFunction) } };
}

/** The same object when the request has no free-text tools, neither offered nor called. */
export function customToolsAsFunctions(request: ChatRequest): ChatRequest {
  const { tools, messages, tool_choice: choice } = request.body;
  if (tools?.some(isCustom) !== true && !messages.some(callsCustom)) return request;
  const body: ChatBody = {
    ...request.body,
    messages: messages.map(messageAsFunction),
    ...(tools === undefined ? {} : { tools: tools.map(asFunction) }),
    ...(choice === undefined || choice === null ? {} : { tool_choice: choiceAsFunction(choice) }),
  };
  const { raw: _stale, ...rest } = request;
  return { ...rest, body };
}

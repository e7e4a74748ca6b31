/** Converts tools, tool choice and answer format from the Responses format to chat completions. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { atOpenai, invalid, typeName } from './request-errors.ts';

function pick(from: JsonObject, fields: readonly string[]): Record<string, Json> {
  const picked: Record<string, Json> = {};
  for (const field of fields) {
    const value = from[field];
    if (value !== undefined && value !== null) picked[field] = value;
  }
  return picked;
}

function readCustom(tool: JsonObject): JsonObject {
  const { format } = tool;
  const grammar =
    isJsonObject(format) && format['type'] === 'grammar' ? { type: 'grammar', grammar: pick(format, ['syntax', 'definition']) } : format;
  return { type: 'custom', custom: { ...pick(tool, ['name', 'description']), ...(grammar === undefined ? {} : { format: grammar }) } };
}

function readTool(tool: Json, path: string): JsonObject {
  if (!isJsonObject(tool)) throw invalid(path, 'must be an object with a type.');
  switch (tool['type']) {
    case 'function':
      if (typeof tool['name'] !== 'string' || tool['name'] === '') throw invalid(`${path}.name`, 'is missing.');
      return { type: 'function', function: pick(tool, ['name', 'description', 'parameters', 'strict']) };
    case 'custom':
      if (typeof tool['name'] !== 'string' || tool['name'] === '') throw invalid(`${path}.name`, 'is missing.');
      return readCustom(tool);
    // MCP servers and skills that the gateway calls. The tool loop validates their fields.
    case 'mcp':
    case 'skill':
      return tool;
    default:
      throw atOpenai(`${path}.type`, `the tool ${typeName(tool['type'])}`, 'Leave it out, or offer a function of your own.');
  }
}

export function readTools(tools: Json | undefined): JsonObject[] | undefined {
  if (tools === undefined || tools === null) return undefined;
  if (!Array.isArray(tools)) throw invalid('tools', 'must be a list.');
  const read = tools.map((tool: Json, index) => readTool(tool, `tools[${index}]`));
  return read.length === 0 ? undefined : read;
}

function named(choice: JsonObject, path: string): JsonObject {
  const { type, name } = choice;
  if ((type === 'function' || type === 'custom') && typeof name === 'string' && name !== '') return { type, [type]: { name } };
  if (type === 'function' || type === 'custom') throw invalid(`${path}.name`, 'is missing.');
  throw atOpenai(`${path}.type`, `the choice of ${typeName(type)}`, 'Choose auto, none, required or a function by name.');
}

export function readToolChoice(choice: Json | undefined): Json | undefined {
  if (choice === undefined || choice === null) return undefined;
  if (choice === 'auto' || choice === 'none' || choice === 'required') return choice;
  if (!isJsonObject(choice)) throw invalid('tool_choice', 'must be auto, none, required or an object with a type.');
  if (choice['type'] !== 'allowed_tools') return named(choice, 'tool_choice');
  const tools = Array.isArray(choice['tools']) ? (choice['tools'] as readonly Json[]) : [];
  return {
    type: 'allowed_tools',
    allowed_tools: {
      mode: choice['mode'] === 'required' ? 'required' : 'auto',
      tools: tools.map((tool, index) => named(isJsonObject(tool) ? tool : {}, `tool_choice.tools[${index}]`)),
    },
  };
}

/** `response_format` for `text.format`; undefined for plain text. */
export function readTextFormat(text: Json | undefined): Json | undefined {
  const format = isJsonObject(text) ? text['format'] : undefined;
  if (format === undefined || format === null) return undefined;
  const type = isJsonObject(format) ? format['type'] : undefined;
  if (!isJsonObject(format) || (type !== 'text' && type !== 'json_object' && type !== 'json_schema'))
    throw invalid('text.format.type', 'must be text, json_object or json_schema.');
  if (type === 'text') return undefined;
  if (type === 'json_object') return { type };
  if (!isJsonObject(format['schema'])) throw invalid('text.format.schema', 'must be a JSON Schema.');
  return { type, json_schema: { name: 'answer', ...pick(format, ['name', 'description', 'schema', 'strict']) } };
}

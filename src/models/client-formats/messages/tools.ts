/** Converts Anthropic's tools and tool choice to OpenAI's. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { clientRunTool } from './client-run-tools.ts';
import { invalid, type Losses } from './translation-losses.ts';
import { cacheControl, typeName } from './parts.ts';

const known: ReadonlySet<string> = new Set(['type', 'name', 'description', 'input_schema', 'strict', 'cache_control']);

function readTool(tool: Json, path: string, losses: Losses): JsonObject[] {
  if (!isJsonObject(tool)) throw invalid(path, 'must be an object.');
  const { type, name, description, input_schema: schema, strict } = tool;
  // Pailou's own types: an MCP server or a skill that the gateway calls.
  if (type === 'mcp' || type === 'skill') return [tool];
  if (type !== undefined && type !== null && type !== 'custom') return readOwnTool(tool, path, losses);
  if (typeof name !== 'string' || name === '') throw invalid(`${path}.name`, 'is missing.');
  if (!isJsonObject(schema)) throw invalid(`${path}.input_schema`, 'must be a JSON Schema, such as {"type":"object","properties":{}}.');
  for (const field of Object.keys(tool)) if (!known.has(field)) losses.leaveOut(`tools.${field}`);
  const body: JsonObject = {
    name,
    ...(typeof description === 'string' ? { description } : {}),
    parameters: schema,
    ...(typeof strict === 'boolean' ? { strict } : {}),
  };
  return [{ type: 'function', function: body, ...cacheControl(tool) }];
}

/** A tool that Anthropic defines. */
function readOwnTool(tool: JsonObject, path: string, losses: Losses): JsonObject[] {
  const type = typeName(tool['type']);
  const { name } = tool;
  const own = clientRunTool(type);
  if (own !== undefined && typeof name === 'string' && name !== '')
    return [{ type: 'function', function: { name, ...own }, ...cacheControl(tool) }];
  // The tools that it would find are offered at once.
  if (type.startsWith('tool_search_tool_')) losses.leaveOut(`tools.${type}`);
  else losses.demand(path, `tool of type ${type}`);
  return [];
}

/** Undefined without tools that other vendors know. Tools that Anthropic executes are recorded as demands. */
export function readTools(tools: Json | undefined, losses: Losses): JsonObject[] | undefined {
  if (tools === undefined || tools === null) return undefined;
  if (!Array.isArray(tools)) throw invalid('tools', 'must be a list.');
  const read = tools.flatMap((tool: Json, index) => readTool(tool, `tools[${index}]`, losses));
  return read.length === 0 ? undefined : read;
}

/** `tool_choice` and `parallel_tool_calls`. */
export function readToolChoice(choice: Json | undefined): Record<string, Json> {
  if (choice === undefined || choice === null) return {};
  if (!isJsonObject(choice)) throw invalid('tool_choice', 'must be an object with a type.');
  const single = choice['disable_parallel_tool_use'] === true ? { parallel_tool_calls: false } : {};
  switch (choice['type']) {
    case 'auto':
      return { tool_choice: 'auto', ...single };
    case 'any':
      return { tool_choice: 'required', ...single };
    case 'none':
      return { tool_choice: 'none' };
    case 'tool': {
      const { name } = choice;
      if (typeof name !== 'string' || name === '') throw invalid('tool_choice.name', 'is missing.');
      return { tool_choice: { type: 'function', function: { name } }, ...single };
    }
    default:
      throw invalid('tool_choice.type', 'must be auto, any, tool or none.');
  }
}

/** Converts tools and tool choice to Anthropic's format. */
import type { ChatBody } from '../../../types/chat.ts';
import { isJsonObject, type JsonObject } from '../../../types/json.ts';
import type { EncodeTarget } from '../../../types/wire-format.ts';
import { functionTools, type ToolChoice } from '../../conversation/tool-use.ts';
import { closedSchema } from '../../conversation/closed-schema.ts';

/** True for a tool that Anthropic defines, such as `web_search_20250305`, or one in Anthropic's form. */
function isAnthropicTool(tool: JsonObject): boolean {
  if (isJsonObject(tool['function'])) return false;
  return isJsonObject(tool['input_schema']) || (typeof tool['type'] === 'string' && /_(\d{8}|latest)$|^mcp_toolset$/.test(tool['type']));
}

function writeFunction(tool: JsonObject, body: ChatBody, target: EncodeTarget, schemas: boolean): JsonObject {
  const { type: _type, function: given, ...extras } = tool;
  const [read] = functionTools({ ...body, tools: [tool] }, target);
  const parameters = { type: 'object', ...read?.parameters };
  const wantsStrict = isJsonObject(given) && given['strict'] === true;
  if (wantsStrict && !schemas) target.warn(`strict of tools left out: ${target.model} has none`);
  const warn = (keyword: string): void =>
    target.warn(`${keyword} in strict tools sent in the prompt only: ${target.vendor} does not enforce it`);
  const strict = wantsStrict && schemas;
  return {
    ...extras,
    name: read?.name,
    ...(read?.description === undefined ? {} : { description: read.description }),
    input_schema: strict ? closedSchema(parameters, warn) : parameters,
    ...(strict ? { strict } : {}),
  };
}

function writeChoice(choice: ToolChoice | undefined, parallel: boolean): JsonObject | undefined {
  const alone = parallel ? {} : { disable_parallel_tool_use: true };
  switch (choice?.mode) {
    case undefined:
      return parallel ? undefined : { type: 'auto', ...alone };
    case 'none':
      return { type: 'none' };
    case 'required':
      return { type: 'any', ...alone };
    case 'named':
      return choice.names.length === 1 ? { type: 'tool', name: choice.names[0], ...alone } : { type: 'any', ...alone };
    case 'auto':
    case 'allowed':
      return { type: 'auto', ...alone };
  }
}

const searchTool = 'web_search';

/** `web_search_options` as Anthropic's own tool; none when the caller already offers one. */
function searchTools(body: ChatBody, target: EncodeTarget): JsonObject[] {
  const wanted = body['web_search_options'];
  const given = body.tools ?? [];
  if (!isJsonObject(wanted) || given.some((tool) => isJsonObject(tool) && tool['name'] === searchTool)) return [];
  if (wanted['search_context_size'] !== undefined) target.warn(`search_context_size left out: ${target.vendor} has none`);
  const place = wanted['user_location'];
  const approximate = isJsonObject(place) && isJsonObject(place['approximate']) ? place['approximate'] : undefined;
  const located = approximate === undefined ? {} : { user_location: { type: 'approximate', ...approximate } };
  return [{ type: 'web_search_20250305', name: searchTool, ...located }];
}

/**
 * `tools` and `tool_choice`, with the requested web search. `called`: tools of earlier turns. Anthropic refuses such turns in a request
 * without tools, so they are declared without being callable. `schemas`: the model enforces argument schemas.
 */
export function writeTools(
  body: ChatBody,
  target: EncodeTarget,
  more: { readonly choice: ToolChoice | undefined; readonly called: ReadonlySet<string>; readonly schemas: boolean },
): JsonObject {
  const { choice, called, schemas } = more;
  const given = body.tools ?? [];
  const searches = searchTools(body, target);
  if (given.length === 0 && searches.length > 0) return { tools: searches };
  if (given.length === 0) {
    if (called.size === 0) return {};
    return { tools: [...called].map((name) => ({ name, input_schema: { type: 'object' } })), tool_choice: { type: 'none' } };
  }
  const tools = given.map((tool, index) => {
    if (isJsonObject(tool) && isAnthropicTool(tool)) return tool;
    // Read here, so that an error names its index.
    if (!isJsonObject(tool) || !isJsonObject(tool['function'])) functionTools({ ...body, tools: given.slice(0, index + 1) }, target);
    return writeFunction(tool, body, target, schemas);
  });
  const names = (choice?.mode === 'named' && choice.names.length > 1) || choice?.mode === 'allowed' ? choice.names : undefined;
  const offered = names === undefined ? tools : tools.filter((tool) => names.some((name) => tool['name'] === name));
  const written = writeChoice(choice, body['parallel_tool_calls'] !== false);
  return { tools: [...offered, ...searches], ...(written === undefined ? {} : { tool_choice: written }) };
}

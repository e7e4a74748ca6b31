/** Tools and the choice among them, from chat completions to the Responses format. */
import type { ChatBody } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { EncodeTarget } from '../../../types/wire-format.ts';
import { unsupported } from '../../conversation/request-fields.ts';
import { pickFields } from '../../pick-fields.ts';

function writeCustom(custom: JsonObject): JsonObject {
  const { format } = custom;
  const grammar = isJsonObject(format) && isJsonObject(format['grammar']) ? { type: 'grammar', ...format['grammar'] } : format;
  return { type: 'custom', ...pickFields(custom, ['name', 'description']), ...(grammar === undefined ? {} : { format: grammar }) };
}

function writeTool(tool: JsonObject, index: number, target: EncodeTarget): JsonObject {
  const { function: described, custom } = tool;
  if (isJsonObject(custom)) return writeCustom(custom);
  if (!isJsonObject(described)) throw unsupported(target, `tools[${index}]`, 'has functions and custom tools only', 'Send a function.');
  // The Responses API enforces argument schemas by default; chat completions does not.
  return { type: 'function', parameters: null, strict: false, ...pickFields(described, ['name', 'description', 'parameters', 'strict']) };
}

function nameOf(choice: JsonObject): JsonObject | undefined {
  for (const type of ['function', 'custom'] as const) {
    const named = choice[type];
    if (isJsonObject(named) && typeof named['name'] === 'string') return { type, name: named['name'] };
  }
  return undefined;
}

function writeChoice(choice: Json | undefined, target: EncodeTarget): Json | undefined {
  if (choice === undefined || choice === null) return undefined;
  if (choice === 'auto' || choice === 'none' || choice === 'required') return choice;
  if (isJsonObject(choice)) {
    const named = nameOf(choice);
    if (named !== undefined) return named;
    const allowed = isJsonObject(choice['allowed_tools']) ? choice['allowed_tools'] : undefined;
    if (allowed !== undefined && Array.isArray(allowed['tools'])) {
      const tools = (allowed['tools'] as readonly Json[]).filter(isJsonObject).map(nameOf);
      return {
        type: 'allowed_tools',
        mode: allowed['mode'] === 'required' ? 'required' : 'auto',
        tools: tools.filter((tool) => tool !== undefined),
      };
    }
  }
  throw unsupported(target, 'tool_choice', 'knows auto, none, required and one tool by name', 'Choose one of these.');
}

/** The fields of the request that offer tools. Throws `unsupported_parameter` for a tool that is neither a function nor custom. */
export function writeTools(body: ChatBody, target: EncodeTarget): JsonObject {
  const search = body['web_search_options'];
  const tools = (body.tools ?? []).map((tool, index) => writeTool(tool, index, target));
  if (isJsonObject(search)) tools.push({ type: 'web_search', ...pickFields(search, ['search_context_size', 'user_location']) });
  if (tools.length === 0) return {};
  const choice = writeChoice(body['tool_choice'], target);
  return { tools, ...(choice === undefined ? {} : { tool_choice: choice }), ...pickFields(body, ['parallel_tool_calls']) };
}

/** Reads tools, tool choice and earlier tool calls from an OpenAI request. */
import type { ChatBody } from '../../types/chat.ts';
import { GatewayError } from '../../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';
import type { EncodeTarget } from '../../types/wire-format.ts';
import { unsupported } from './request-fields.ts';

export interface FunctionTool {
  readonly name: string;
  readonly description: string | undefined;
  /** JSON Schema; undefined for a function without parameters. */
  readonly parameters: JsonObject | undefined;
}

/** The offered functions. Throws for another tool type: no other vendor has OpenAI's custom tools. */
export function functionTools(body: ChatBody, target: EncodeTarget): FunctionTool[] {
  return (body.tools ?? []).map((tool, index) => {
    const given = isJsonObject(tool) ? tool['function'] : undefined;
    if (!isJsonObject(given) || typeof given['name'] !== 'string') {
      throw unsupported(target, `tools[${index}]`, 'has tools of type function only', 'Describe the tool as a function.');
    }
    const { name, description, parameters } = given;
    return {
      name,
      description: typeof description === 'string' ? description : undefined,
      parameters: isJsonObject(parameters) ? parameters : undefined,
    };
  });
}

export type ToolChoice =
  | { readonly mode: 'auto' | 'none' | 'required' }
  /** One of `names` must be called. */
  | { readonly mode: 'named'; readonly names: readonly string[] }
  /** Only these tools may be called, and none must be. */
  | { readonly mode: 'allowed'; readonly names: readonly string[] };

function nameIn(value: Json | undefined): string | undefined {
  const body = isJsonObject(value) && isJsonObject(value['function']) ? value['function'] : value;
  return isJsonObject(body) && typeof body['name'] === 'string' ? body['name'] : undefined;
}

/** Undefined when the caller leaves it to the vendor. */
export function toolChoiceOf(body: JsonObject, target: EncodeTarget): ToolChoice | undefined {
  const choice = body['tool_choice'];
  if (choice === undefined || choice === null) return undefined;
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { mode: choice };
  if (isJsonObject(choice) && choice['type'] === 'function') {
    const name = nameIn(choice);
    if (name !== undefined) return { mode: 'named', names: [name] };
  }
  if (isJsonObject(choice) && choice['type'] === 'allowed_tools') {
    const allowed = isJsonObject(choice['allowed_tools']) ? choice['allowed_tools'] : choice;
    const tools = Array.isArray(allowed['tools']) ? (allowed['tools'] as readonly Json[]) : [];
    const names = tools.map(nameIn).filter((name) => name !== undefined);
    return { mode: allowed['mode'] === 'required' ? 'named' : 'allowed', names };
  }
  throw unsupported(target, 'tool_choice', 'knows auto, none, required and one function by name', 'Choose one of these.');
}

export interface EarlierCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: JsonObject;
  /** The arguments as the caller wrote them. */
  readonly text: string;
}

/** The arguments of an earlier call as an object. Invalid arguments are passed on, so that the model sees its own output. */
function argumentsObject(text: Json | undefined): JsonObject {
  if (isJsonObject(text)) return text;
  if (typeof text !== 'string' || text.trim() === '') return {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (isJsonObject(parsed)) return parsed;
    if (parsed === null) return {};
  } catch {
    // Passed on unchanged below.
  }
  return { arguments: text };
}

/** The tool calls of an assistant message. Throws for a call without a name. */
export function earlierCalls(message: JsonObject, path: string): EarlierCall[] {
  const calls = message['tool_calls'];
  if (!Array.isArray(calls)) return [];
  return calls.map((call: Json, index) => {
    const body = isJsonObject(call) && isJsonObject(call['function']) ? call['function'] : undefined;
    if (!isJsonObject(call) || body === undefined || typeof body['name'] !== 'string') {
      const param = `${path}.tool_calls[${index}].function.name`;
      throw new GatewayError('invalid_request', `${param}: is missing.`, { param });
    }
    return {
      id: typeof call['id'] === 'string' ? call['id'] : '',
      name: body['name'],
      arguments: argumentsObject(body['arguments']),
      text: typeof body['arguments'] === 'string' ? body['arguments'] : JSON.stringify(body['arguments'] ?? {}),
    };
  });
}

/** The tool of a result: vendors without call ids identify results by name. `names`: tool names by call id. */
export function resultName(message: JsonObject, path: string, names: ReadonlyMap<string, string>): string {
  const id = message['tool_call_id'];
  const known = typeof id === 'string' ? names.get(id) : undefined;
  if (known !== undefined) return known;
  if (typeof message['name'] === 'string' && message['name'] !== '') return message['name'];
  throw new GatewayError('invalid_request', `${path}.tool_call_id: no earlier message has a tool call with this id.`, {
    param: `${path}.tool_call_id`,
  });
}

/** Converts tools and tool choice to Converse, which has neither "none" nor single calls; Claude's own fields have both. */
import type { ChatBody } from '../../../types/chat.ts';
import { isJsonObject, type JsonObject } from '../../../types/json.ts';
import type { EncodeTarget } from '../../../types/wire-format.ts';
import type { ClaudeTraits } from '../../conversation/claude.ts';
import { closedSchema } from '../../conversation/closed-schema.ts';
import { functionTools, type ToolChoice } from '../../conversation/tool-use.ts';
import { cachePoint } from './blocks.ts';

export interface Tools {
  readonly toolConfig: JsonObject | undefined;
  /** Claude's own field, for choices that Converse cannot express. */
  readonly choiceOfClaude: JsonObject | undefined;
  /** True when no tools are offered, so that earlier calls become text. */
  readonly asText: boolean;
}

function writeTool(tool: JsonObject, body: ChatBody, target: EncodeTarget, traits: ClaudeTraits): JsonObject[] {
  const [read] = functionTools({ ...body, tools: [tool] }, target);
  const parameters = { type: 'object', ...read?.parameters };
  const wantsStrict = isJsonObject(tool['function']) && tool['function']['strict'] === true;
  if (wantsStrict && !traits.schemas) target.warn(`strict of tools left out: ${target.model} has none`);
  const strict = wantsStrict && traits.schemas;
  const warn = (keyword: string): void =>
    target.warn(`${keyword} in strict tools sent in the prompt only: ${target.vendor} does not enforce it`);
  const spec = {
    name: read?.name,
    ...(read?.description === undefined || read.description === '' ? {} : { description: read.description }),
    inputSchema: { json: strict ? closedSchema(parameters, warn) : parameters },
    ...(strict ? { strict } : {}),
  };
  return [{ toolSpec: spec }, ...cachePoint(tool)];
}

/** True for Bedrock's own tools, such as `{"systemTool":{"name":"nova_grounding"}}`, and tools in Converse form. */
function isConverseTool(tool: JsonObject): boolean {
  return isJsonObject(tool['systemTool']) || isJsonObject(tool['toolSpec']);
}

function isNamed(tool: JsonObject, names: readonly string[]): boolean {
  const given = isJsonObject(tool['function']) ? tool['function'] : tool['toolSpec'];
  return isJsonObject(given) && names.some((name) => given['name'] === name);
}

function choiceInConverse(choice: ToolChoice | undefined): JsonObject | undefined {
  switch (choice?.mode) {
    case undefined:
    case 'none':
      return undefined;
    case 'auto':
    case 'allowed':
      return { auto: {} };
    case 'required':
      return { any: {} };
    case 'named':
      return choice.names.length === 1 ? { tool: { name: choice.names[0] } } : { any: {} };
  }
}

function choiceForClaude(choice: ToolChoice | undefined, alone: boolean): JsonObject {
  const single = alone ? { disable_parallel_tool_use: true } : {};
  if (choice?.mode === 'none') return { type: 'none' };
  if (choice?.mode === 'named' && choice.names.length === 1) return { type: 'tool', name: choice.names[0], ...single };
  return { type: choice?.mode === 'required' || choice?.mode === 'named' ? 'any' : 'auto', ...single };
}

/** `called`: tools of earlier turns. They must be declared in the request, even when they may not be called. */
export function writeTools(
  body: ChatBody,
  target: EncodeTarget,
  more: { readonly traits: ClaudeTraits; readonly choice: ToolChoice | undefined; readonly called: readonly string[] },
): Tools {
  const { traits, called } = more;
  const given = body.tools ?? [];
  const choice: ToolChoice | undefined = given.length === 0 ? { mode: 'none' } : more.choice;
  if (choice?.mode === 'none' && (!traits.isClaude || called.length === 0)) {
    return { toolConfig: undefined, choiceOfClaude: undefined, asText: called.length > 0 };
  }
  given.forEach((tool, index) => {
    // Read here, so that an error names its index.
    if (!isJsonObject(tool) || !isConverseTool(tool))
      functionTools({ ...body, tools: given.slice(0, index + 1).filter((each) => !isConverseTool(each)) }, target);
  });
  const names = (choice?.mode === 'named' && choice.names.length > 1) || choice?.mode === 'allowed' ? choice.names : undefined;
  const offered = names === undefined ? given : given.filter((tool) => isNamed(tool, names));
  const tools =
    given.length === 0
      ? called.map((name) => ({ toolSpec: { name, inputSchema: { json: { type: 'object' } } } }))
      : offered.flatMap((tool) => (isConverseTool(tool) ? [tool] : writeTool(tool, body, target, traits)));
  const alone = body['parallel_tool_calls'] === false;
  // Bedrock refuses both fields together.
  if (traits.isClaude && (alone || choice?.mode === 'none')) {
    return { toolConfig: { tools }, choiceOfClaude: choiceForClaude(choice, alone), asText: false };
  }
  if (alone) target.warn(`parallel_tool_calls left out: ${target.model} has none`);
  const toolChoice = choiceInConverse(choice);
  return { toolConfig: { tools, ...(toolChoice === undefined ? {} : { toolChoice }) }, choiceOfClaude: undefined, asText: false };
}

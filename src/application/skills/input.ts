/** Converts a conversation to the input of a skill. */
import { onlyText, type PlacedPart, readContent } from '../../models/conversation/content-parts.ts';
import type { ChatBody } from '../../types/chat.ts';
import { GatewayError } from '../../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';
import { type Conversation, noConversation, type Skill } from '../../types/skill.ts';

export interface SkillChat {
  readonly input: Json;
  readonly conversation: Conversation;
  /** Parameters of the request that the skill decides itself. */
  readonly warnings: readonly string[];
}

/** Fields of a chat request that a skill ignores without a change of meaning. */
const ownBusiness = [
  'temperature', 'top_p', 'top_k', 'min_p', 'max_tokens', 'max_completion_tokens', 'stop', 'seed', 'frequency_penalty', 'presence_penalty',
  'logit_bias', 'logprobs', 'top_logprobs', 'response_format', 'reasoning_effort', 'verbosity', 'parallel_tool_calls', 'modalities',
  'audio', 'prediction',
]; // prettier-ignore

function refuse(param: string, sentence: string): GatewayError {
  return new GatewayError('unsupported_parameter', `${param}: ${sentence}`, { param });
}

const isFilled = (value: unknown): boolean => Array.isArray(value) && value.length > 0;

/** True when the request demands a call of the caller's own tools. */
function forcesTool(choice: Json | undefined): boolean {
  return choice === 'required' || (isJsonObject(choice) && choice['type'] !== 'auto' && choice['type'] !== 'none');
}

/**
 * Throws for parameters that would change the meaning. Reports what is left out: agents such as Claude Code offer their tools with every
 * request, and a skill has its own.
 */
function warningsOf(body: ChatBody): string[] {
  const { tools, n } = body;
  const left = [isFilled(tools) ? 'tools' : '', isFilled(body['functions']) ? 'functions' : ''].filter((field) => field !== '');
  if (left.length > 0 && forcesTool(body['tool_choice']))
    throw refuse(
      'tool_choice',
      'a skill calls only its own tools. To use a skill beside other tools, call a model with the tool {"type": "skill", "name": …}.',
    );
  if (typeof n === 'number' && n > 1) throw refuse('n', 'a skill gives one answer; leave n out.');
  const notes = left.map((field) => `${field} left out: a skill has its own`);
  const decided = ownBusiness
    .filter((field) => body[field] !== undefined && body[field] !== null)
    .map((field) => `${field}: a skill decides this itself`);
  return [...notes, ...decided];
}

/** An object if the text is a JSON object. Any other text that begins with a brace is text. */
function asObject(text: string): JsonObject | null {
  if (!text.trimStart().startsWith('{')) return null;
  try {
    const parsed = JSON.parse(text) as Json;
    return isJsonObject(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

/** The field for text. Beside a file it holds the instructions; otherwise `text`, or the only required text. */
function fieldForWords({ properties, required }: JsonObject, besideFile: boolean): string {
  const known = isJsonObject(properties) ? properties : {};
  if (besideFile && Object.hasOwn(known, 'instructions')) return 'instructions';
  if (Object.hasOwn(known, 'text') || !Array.isArray(required)) return 'text';
  const [only, another] = required.filter((name: Json): name is string => {
    const schema = typeof name === 'string' && Object.hasOwn(known, name) ? known[name] : undefined;
    return isJsonObject(schema) && schema['type'] === 'string';
  });
  return only !== undefined && another === undefined ? only : 'text';
}

function fileOf(parts: readonly PlacedPart[]): JsonObject | null {
  const [file, another] = parts.filter((part) => part.kind === 'file');
  if (another !== undefined) throw refuse(another.path, 'a skill reads one file at a time.');
  if (file === undefined) return null;
  const { data, name } = file;
  return { ...(name === undefined ? {} : { name }), media_type: data.mediaType, base64: data.base64 };
}

/**
 * The input from the last user message: a JSON object as it is, text and a file in the matching fields. A skill with the field `messages`
 * gets the whole conversation in it. Throws `invalid_request` or `unsupported_parameter` naming the place.
 */
export function skillInput(body: ChatBody, skill: Skill): SkillChat {
  const warnings = warningsOf(body);
  const { inputSchema } = skill.describe();
  const { messages } = body;
  if (isJsonObject(inputSchema['properties']) && Object.hasOwn(inputSchema['properties'], 'messages'))
    return { input: { messages }, conversation: noConversation, warnings };
  const at = messages.findLastIndex((message) => message['role'] === 'user');
  const last = messages[at];
  if (last === undefined)
    throw new GatewayError('invalid_request', 'A skill takes its input from the last message with role "user"; add one.', {
      param: 'messages',
    });
  const parts = readContent(last['content'], `messages[${at}]`);
  const { text } = onlyText(parts.filter((part) => part.kind === 'text'));
  const file = fileOf(parts);
  const attached = parts.filter((part) => part.kind !== 'text' && part.kind !== 'file');
  if (attached[0] !== undefined && skill.converses !== true)
    throw refuse(attached[0].path, `the skill reads no part of this kind (${attached[0].kind}); send words, or a file.`);
  const words = asObject(text) ?? (text === '' && file !== null ? {} : { [fieldForWords(inputSchema, file !== null)]: text });
  const content = last['content'];
  return {
    input: { ...words, ...(file === null ? {} : { document: file }) },
    conversation: {
      before: messages.slice(0, at),
      attached: attached.map(({ path }) => (content as JsonObject[])[Number(/\[(\d+)\]$/.exec(path)?.[1])] as JsonObject),
    },
    warnings,
  };
}

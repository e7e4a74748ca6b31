/** The turns of a conversation in Anthropic's format as messages in OpenAI's. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { joinTextParts } from '../../text-parts.ts';
import { unpackThought } from '../packed-thoughts.ts';
import { invalid, type Losses } from './losses.ts';
import { blocksIn, cacheControl, readOrDemand, readParts } from './parts.ts';

function readResult(block: JsonObject, path: string, losses: Losses): JsonObject {
  const id = block['tool_use_id'];
  if (typeof id !== 'string' || id === '') throw invalid(`${path}.tool_use_id`, 'is missing.');
  const parts = readParts(block['content'], `${path}.content`, losses);
  return {
    role: 'tool',
    tool_call_id: id,
    content: joinTextParts(parts, '\n'),
    ...(block['is_error'] === true ? { is_error: true } : {}),
    ...cacheControl(block),
  };
}

/** Results of tools are messages of their own in OpenAI's format, before what the user says. */
function readUser(content: Json | undefined, path: string, losses: Losses): JsonObject[] {
  if (typeof content === 'string') return [{ role: 'user', content }];
  const results: JsonObject[] = [];
  const parts: JsonObject[] = [];
  blocksIn(content, path).forEach((block, index) => {
    const place = `${path}[${index}]`;
    if (block['type'] === 'tool_result') results.push(readResult(block, place, losses));
    else parts.push(...readOrDemand(block, place, losses));
  });
  return parts.length === 0 && results.length > 0 ? results : [...results, { role: 'user', content: joinTextParts(parts, '\n\n') }];
}

interface AssistantTurn {
  readonly parts: JsonObject[];
  readonly calls: JsonObject[];
  readonly reasoning: string[];
  readonly details: JsonObject[];
}

function readCall(block: JsonObject, path: string): JsonObject {
  const { id, name, input } = block;
  if (typeof id !== 'string' || id === '') throw invalid(`${path}.id`, 'is missing.');
  if (typeof name !== 'string' || name === '') throw invalid(`${path}.name`, 'is missing.');
  if (input !== undefined && !isJsonObject(input)) throw invalid(`${path}.input`, 'must be an object.');
  return { id, type: 'function', function: { name, arguments: JSON.stringify(input ?? {}) } };
}

function readAssistantBlock(block: JsonObject, path: string, turn: AssistantTurn, losses: Losses): void {
  const { type } = block;
  if (type === 'tool_use') turn.calls.push(readCall(block, path));
  else if (type === 'thinking') {
    const thinking = typeof block['thinking'] === 'string' ? block['thinking'] : '';
    const signature = block['signature'];
    if (thinking !== '') turn.reasoning.push(thinking);
    if (typeof signature === 'string' && signature !== '')
      turn.details.push({ type: 'reasoning.text', format: 'anthropic', text: thinking, signature });
  } else if (type === 'redacted_thinking') {
    const data = typeof block['data'] === 'string' ? block['data'] : '';
    turn.details.push(unpackThought(data) ?? { type: 'reasoning.encrypted', format: 'anthropic', data });
  } else turn.parts.push(...readOrDemand(block, path, losses));
}

function readAssistant(content: Json | undefined, path: string, losses: Losses): JsonObject {
  if (typeof content === 'string') return { role: 'assistant', content };
  const turn: AssistantTurn = { parts: [], calls: [], reasoning: [], details: [] };
  blocksIn(content, path).forEach((block, index) => readAssistantBlock(block, `${path}[${index}]`, turn, losses));
  return {
    role: 'assistant',
    content: turn.parts.length === 0 && turn.calls.length > 0 ? null : joinTextParts(turn.parts, ''),
    ...(turn.reasoning.length > 0 ? { reasoning_content: turn.reasoning.join('\n\n') } : {}),
    ...(turn.details.length > 0 ? { reasoning_details: turn.details } : {}),
    ...(turn.calls.length > 0 ? { tool_calls: turn.calls } : {}),
  };
}

function readSystem(content: Json | undefined, path: string, losses: Losses): JsonObject[] {
  const parts = readParts(content, path, losses);
  return parts.length === 0 ? [] : [{ role: 'system', content: joinTextParts(parts, '\n\n') }];
}

/** All messages, the system prompt first. Throws `invalid_request` naming the block at fault. */
export function readTurns(system: Json | undefined, messages: readonly JsonObject[], losses: Losses): JsonObject[] {
  const turns = messages.flatMap((message, index) => {
    const path = `messages[${index}].content`;
    const { role, content } = message;
    if (role === 'user') return readUser(content, path, losses);
    if (role === 'assistant') return [readAssistant(content, path, losses)];
    // Instructions in the middle of a conversation, as Claude Code sends them.
    if (role === 'system') return readSystem(content, path, losses);
    throw invalid(`messages[${index}].role`, 'must be user, assistant or system.');
  });
  return [...readSystem(system, 'system', losses), ...turns];
}

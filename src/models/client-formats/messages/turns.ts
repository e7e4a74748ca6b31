/** Converts the turns of a conversation in Anthropic's format to OpenAI messages. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { joinTextParts } from '../../text-parts.ts';
import { decodeReasoning } from '../encoded-reasoning.ts';
import { serverToolCall, serverToolResult, textOfParts } from '../server-tool-events.ts';
import { invalid, type Losses } from './translation-losses.ts';
import { isServerRunResult, readableResult } from './server-run-blocks.ts';
import { callIdOfBlock } from './mcp-blocks.ts';
import { blocksIn, cacheControl, readOrDemand, readOrLeaveOut, readParts, typeName } from './parts.ts';

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

/** In OpenAI's format tool results are separate messages before the user's text. */
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

function required(block: JsonObject, field: string, path: string): string {
  const value = block[field];
  if (typeof value !== 'string' || value === '') throw invalid(`${path}.${field}`, 'is missing.');
  return value;
}

function inputOf({ input }: JsonObject, path: string): string {
  if (input !== undefined && !isJsonObject(input)) throw invalid(`${path}.input`, 'must be an object.');
  return JSON.stringify(input ?? {});
}

/** The assistant's turn: one message, and one more for each round of server-side tools. */
class AssistantTurn {
  readonly messages: JsonObject[] = [];
  #parts: JsonObject[] = [];
  /** Pictures that the model generated. */
  #images: JsonObject[] = [];
  #calls: JsonObject[] = [];
  #reasoning: string[] = [];
  #details: JsonObject[] = [];
  /** Results of server-side calls by call id; null until the result is read. */
  #results = new Map<string, string | null>();
  /** True while the caller's own tool calls await results in its next message. */
  #isOpen = false;

  add(block: JsonObject, path: string, losses: Losses): void {
    const { type } = block;
    if (type === 'mcp_tool_result') {
      this.#results.set(callIdOfBlock(required(block, 'tool_use_id', path)), textOfParts(block['content']));
      return;
    }
    if (isServerRunResult(block)) {
      const call = block['tool_use_id'] as string;
      if (this.#results.has(call)) this.#results.set(call, readableResult(block));
      else losses.leaveOut(`content.${typeName(block['type'])}`);
      return;
    }
    if (!this.#isOpen && [...this.#results.values()].some((result) => result !== null)) this.end();
    if (type === 'tool_use') {
      const called = { name: required(block, 'name', path), arguments: inputOf(block, path) };
      this.#calls.push({ id: required(block, 'id', path), type: 'function', function: called });
      this.#isOpen = true;
    } else if (type === 'server_tool_use') {
      const id = required(block, 'id', path);
      const called = { name: required(block, 'name', path), arguments: inputOf(block, path) };
      this.#calls.push({ id, type: 'function', function: called });
      this.#results.set(id, null);
    } else if (type === 'mcp_tool_use') {
      const id = callIdOfBlock(required(block, 'id', path));
      this.#calls.push(serverToolCall(id, required(block, 'server_name', path), required(block, 'name', path), inputOf(block, path)));
      this.#results.set(id, null);
    } else if (type === 'thinking') {
      const thinking = typeof block['thinking'] === 'string' ? block['thinking'] : '';
      const signature = block['signature'];
      if (thinking !== '') this.#reasoning.push(thinking);
      if (typeof signature === 'string' && signature !== '')
        this.#details.push({ type: 'reasoning.text', format: 'anthropic', text: thinking, signature });
    } else if (type === 'redacted_thinking') {
      const data = typeof block['data'] === 'string' ? block['data'] : '';
      this.#details.push(decodeReasoning(data) ?? { type: 'reasoning.encrypted', format: 'anthropic', data });
    } else if (type === 'image') this.#images.push(...readOrDemand(block, path, losses));
    else this.#parts.push(...readOrLeaveOut(block, path, losses));
  }

  end(): void {
    this.messages.push(
      {
        role: 'assistant',
        content: this.#parts.length === 0 && this.#calls.length > 0 ? null : joinTextParts(this.#parts, ''),
        ...(this.#reasoning.length > 0 ? { reasoning_content: this.#reasoning.join('\n\n') } : {}),
        ...(this.#details.length > 0 ? { reasoning_details: this.#details } : {}),
        ...(this.#images.length > 0 ? { images: this.#images } : {}),
        ...(this.#calls.length > 0 ? { tool_calls: this.#calls } : {}),
      },
      ...[...this.#results].map(([id, result]) => serverToolResult(id, result ?? 'The call was cut off; nothing is known of its result.')),
    );
    this.#parts = [];
    this.#images = [];
    this.#calls = [];
    this.#reasoning = [];
    this.#details = [];
    this.#results = new Map();
    this.#isOpen = false;
  }
}

function readAssistant(content: Json | undefined, path: string, losses: Losses): JsonObject[] {
  if (typeof content === 'string') return [{ role: 'assistant', content }];
  const turn = new AssistantTurn();
  blocksIn(content, path).forEach((block, index) => turn.add(block, `${path}[${index}]`, losses));
  turn.end();
  return turn.messages;
}

function readSystem(content: Json | undefined, path: string, losses: Losses): JsonObject[] {
  const parts = readParts(content, path, losses);
  return parts.length === 0 ? [] : [{ role: 'system', content: joinTextParts(parts, '\n\n') }];
}

/** All messages, the system prompt first. Throws `invalid_request` naming the block. */
export function readTurns(system: Json | undefined, messages: readonly JsonObject[], losses: Losses): JsonObject[] {
  const turns = messages.flatMap((message, index) => {
    const path = `messages[${index}].content`;
    const { role, content } = message;
    if (role === 'user') return readUser(content, path, losses);
    if (role === 'assistant') return readAssistant(content, path, losses);
    // Instructions within a conversation, as Claude Code sends them.
    if (role === 'system') return readSystem(content, path, losses);
    throw invalid(`messages[${index}].role`, 'must be user, assistant or system.');
  });
  return [...readSystem(system, 'system', losses), ...turns];
}

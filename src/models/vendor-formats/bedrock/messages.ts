/** Converts OpenAI messages to the system prompt and turns of Converse: two alternating roles, with results and reasoning first. */
import { createHash } from 'node:crypto';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { EncodeTarget } from '../../../types/wire-format.ts';
import { onlyText, readContent } from '../../conversation/content-parts.ts';
import { unsupported } from '../../conversation/request-fields.ts';
import { type EarlierCall, earlierCalls } from '../../conversation/tool-use.ts';
import { plainId, type Turn, TurnBuilder } from '../../conversation/turns.ts';
import { cachePoint, writeBlocks } from './blocks.ts';

export interface Conversation {
  readonly system: readonly JsonObject[];
  readonly messages: readonly Turn[];
}

export interface WritingOptions {
  /** Formats whose reasoning is returned to the model; empty for none. */
  readonly thoughts: readonly string[];
  /** True when tool calls and results become text, because they require tools that are not offered. */
  readonly toolsAsText: boolean;
}

/** Bedrock accepts ids of up to 64 characters. */
function callId(id: string): string {
  const plain = plainId(id);
  return plain.length <= 64 ? plain : createHash('sha256').update(plain).digest('hex');
}

function writeReasoning(message: JsonObject, formats: readonly string[]): JsonObject[] {
  const details = Array.isArray(message['reasoning_details']) ? (message['reasoning_details'] as readonly Json[]) : [];
  return details.filter(isJsonObject).flatMap(({ format, data, text, signature }): JsonObject[] => {
    if (!formats.some((each) => each === format)) return [];
    if (typeof data === 'string') return [{ reasoningContent: { redactedContent: data } }];
    if (typeof signature !== 'string') return [];
    return [{ reasoningContent: { reasoningText: { text: typeof text === 'string' ? text : '', signature } } }];
  });
}

class Writer {
  readonly #target: EncodeTarget;
  readonly #options: WritingOptions;
  readonly #turns = new TurnBuilder();
  readonly #system: JsonObject[] = [];

  constructor(target: EncodeTarget, options: WritingOptions) {
    this.#target = target;
    this.#options = options;
  }

  add(message: JsonObject, index: number): void {
    const path = `messages[${index}]`;
    const role = message['role'];
    if (typeof message['name'] === 'string' && role !== 'tool') {
      this.#target.warn(`name of messages left out: ${this.#target.vendor} has none`);
    }
    if (role === 'system' || role === 'developer') {
      const { other } = onlyText(readContent(message['content'], path));
      if (other !== undefined) throw unsupported(this.#target, other.path, 'takes text only as instructions', 'Send it as a user.');
      this.#system.push(...writeBlocks(message, path, this.#target));
    } else if (role === 'assistant') this.#addAssistant(message, path);
    else if (role === 'tool') this.#addResult(message, path);
    else if (role === 'function') {
      throw unsupported(this.#target, `${path}.role`, 'has no role function', 'Send the result with the role tool.');
    } else this.#turns.add('user', [], writeBlocks(message, path, this.#target));
  }

  #addAssistant(message: JsonObject, path: string): void {
    const { content, refusal, cache_control: mark } = message;
    const source = (content === null || content === undefined) && typeof refusal === 'string' ? refusal : (content ?? null);
    const blocks = writeBlocks({ content: source }, path, this.#target);
    const calls = earlierCalls(message, path).map((call) => this.#call(call));
    this.#turns.add('assistant', writeReasoning(message, this.#options.thoughts), [
      ...blocks,
      ...calls,
      ...cachePoint({ cache_control: mark }),
    ]);
  }

  #call({ id, name, arguments: input, text }: EarlierCall): JsonObject {
    return this.#options.toolsAsText ? { text: `Called ${name} with ${text}` } : { toolUse: { toolUseId: callId(id), name, input } };
  }

  #addResult(message: JsonObject, path: string): void {
    const id = message['tool_call_id'];
    const { content } = message;
    const failed = message['is_error'] === true;
    const blocks = writeBlocks({ content }, path, this.#target).filter((block) => block['cachePoint'] === undefined);
    if (this.#options.toolsAsText) {
      this.#turns.add('user', [{ text: failed ? 'The tool failed:' : 'The tool returned:' }, ...blocks], []);
      return;
    }
    const result = {
      toolUseId: callId(typeof id === 'string' ? id : ''),
      // Bedrock requires at least one block.
      content: blocks.length > 0 ? blocks : [{ text: '(nothing)' }],
      ...(failed ? { status: 'error' } : {}),
    };
    this.#turns.add('user', [{ toolResult: result }, ...cachePoint(message)], []);
  }

  end(): Conversation {
    const messages = this.#turns.end();
    if (messages.length === 0) {
      throw unsupported(this.#target, 'messages', 'answers no instructions alone', 'Send a message with the role user as well.');
    }
    return { system: this.#system, messages };
  }
}

export function writeConversation(messages: readonly JsonObject[], target: EncodeTarget, options: WritingOptions): Conversation {
  const writer = new Writer(target, options);
  messages.forEach((message, index) => {
    writer.add(message, index);
  });
  return writer.end();
}

/** The names of the tools in earlier calls. */
export function calledTools(messages: readonly JsonObject[]): string[] {
  return [...new Set(messages.flatMap((message, index) => earlierCalls(message, `messages[${index}]`).map(({ name }) => name)))];
}

/** Converts OpenAI messages to Anthropic's system prompt and turns: two alternating roles, with results and reasoning first. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { EncodeTarget } from '../../../types/wire-format.ts';
import { onlyText, readContent } from '../../conversation/content-parts.ts';
import { unsupported } from '../../conversation/request-fields.ts';
import { earlierCalls } from '../../conversation/tool-use.ts';
import { plainId, type Turn, TurnBuilder } from '../../conversation/turns.ts';
import { cacheMark, withMark, writeBlocks } from './blocks.ts';

export interface Conversation {
  readonly system: string | readonly JsonObject[] | undefined;
  readonly messages: readonly Turn[];
  /** Names of the tools in earlier calls. */
  readonly called: ReadonlySet<string>;
}

/** How earlier reasoning is returned to the vendor. */
export interface ReasoningOptions {
  readonly include: boolean;
  /** True when the vendor requires reasoning without a signature and accepts plain text. */
  readonly unsigned: boolean;
}

function writeReasoning(message: JsonObject, reasoningOptions: ReasoningOptions): JsonObject[] {
  if (!reasoningOptions.include) return [];
  const given = Array.isArray(message['reasoning_details']) ? (message['reasoning_details'] as readonly Json[]) : [];
  const blocks = given.filter(isJsonObject).flatMap(({ format, data, signature, text }): JsonObject[] => {
    if (format !== 'anthropic') return [];
    if (typeof data === 'string') return [{ type: 'redacted_thinking', data }];
    if (typeof signature !== 'string') return [];
    return [{ type: 'thinking', thinking: typeof text === 'string' ? text : '', signature }];
  });
  const reasoning = message['reasoning_content'];
  if (blocks.length > 0 || !reasoningOptions.unsigned || typeof reasoning !== 'string' || reasoning === '') return blocks;
  return Array.isArray(message['tool_calls']) ? [{ type: 'thinking', thinking: reasoning, signature: '' }] : [];
}

class Writer {
  readonly #target: EncodeTarget;
  readonly #reasoning: ReasoningOptions;
  readonly #turns = new TurnBuilder();
  readonly #system: JsonObject[] = [];
  readonly #called = new Set<string>();

  constructor(target: EncodeTarget, reasoningOptions: ReasoningOptions) {
    this.#target = target;
    this.#reasoning = reasoningOptions;
  }

  add(message: JsonObject, index: number): void {
    const path = `messages[${index}]`;
    const role = message['role'];
    if (typeof message['name'] === 'string' && role !== 'tool') {
      this.#target.warn(`name of messages left out: ${this.#target.vendor} has none`);
    }
    if (role === 'system' || role === 'developer') this.#addSystem(message, path);
    else if (role === 'assistant') this.#addAssistant(message, path);
    else if (role === 'tool') this.#turns.add('user', [this.#result(message, path)], []);
    else if (role === 'function') {
      throw unsupported(this.#target, `${path}.role`, 'has no role function', 'Send the result with the role tool.');
    } else this.#turns.add('user', [], writeBlocks(message, path, this.#target));
  }

  #addSystem(message: JsonObject, path: string): void {
    const { other } = onlyText(readContent(message['content'], path));
    if (other !== undefined) throw unsupported(this.#target, other.path, 'takes text only as instructions', 'Send it as a user.');
    this.#system.push(...writeBlocks(message, path, this.#target));
  }

  #addAssistant(message: JsonObject, path: string): void {
    const { content, refusal } = message;
    const source = (content === null || content === undefined) && typeof refusal === 'string' ? { ...message, content: refusal } : message;
    const calls = earlierCalls(message, path).map(({ id, name, arguments: input }) => {
      this.#called.add(name);
      return { type: 'tool_use', id: plainId(id), name, input };
    });
    const blocks = [...writeBlocks({ ...source, cache_control: undefined }, path, this.#target), ...calls];
    this.#turns.add('assistant', writeReasoning(message, this.#reasoning), withMark(blocks, message));
  }

  #result(message: JsonObject, path: string): JsonObject {
    const id = message['tool_call_id'];
    const { content } = message;
    const blocks = Array.isArray(content) ? writeBlocks({ content }, path, this.#target) : typeof content === 'string' ? content : '';
    return {
      type: 'tool_result',
      tool_use_id: plainId(typeof id === 'string' ? id : ''),
      ...(blocks.length === 0 ? {} : { content: blocks }),
      ...(message['is_error'] === true ? { is_error: true } : {}),
      ...cacheMark(message),
    };
  }

  end(): Conversation {
    const messages = this.#turns.end();
    if (messages.length === 0) {
      throw unsupported(this.#target, 'messages', 'answers no instructions alone', 'Send a message with the role user as well.');
    }
    const only = this.#system.length === 1 ? this.#system[0] : undefined;
    const text = only?.['cache_control'] === undefined && typeof only?.['text'] === 'string' ? only['text'] : undefined;
    return { system: text ?? (this.#system.length === 0 ? undefined : this.#system), messages, called: this.#called };
  }
}

export function writeConversation(messages: readonly JsonObject[], target: EncodeTarget, reasoningOptions: ReasoningOptions): Conversation {
  const writer = new Writer(target, reasoningOptions);
  messages.forEach((message, index) => {
    writer.add(message, index);
  });
  return writer.end();
}

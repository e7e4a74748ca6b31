/** Input items as messages: what a model said and did in one turn is one message of the assistant. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { unpackThought } from '../packed-thoughts.ts';
import { atOpenai, invalid, typeName } from './faults.ts';
import { readContent, textIn } from './parts.ts';

type Message = Record<string, Json | undefined>;

function text(item: JsonObject, field: string, path: string): string {
  const value = item[field];
  if (typeof value !== 'string' || value === '') throw invalid(`${path}.${field}`, 'is missing or not a text.');
  return value;
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

class Conversation {
  readonly messages: JsonObject[] = [];
  /** The assistant's turn that is being put together. */
  #turn: Message | null = null;

  add(item: JsonObject, path: string): void {
    const type = item['type'] ?? (item['role'] === undefined ? undefined : 'message');
    switch (type) {
      case 'message':
        this.#message(item, path);
        return;
      case 'reasoning':
        this.#reasoning(item);
        return;
      case 'function_call':
        this.#call({
          id: text(item, 'call_id', path),
          type: 'function',
          function: { name: text(item, 'name', path), arguments: typeof item['arguments'] === 'string' ? item['arguments'] : '{}' },
        });
        return;
      case 'custom_tool_call':
        this.#call({
          id: text(item, 'call_id', path),
          type: 'custom',
          custom: { name: text(item, 'name', path), input: typeof item['input'] === 'string' ? item['input'] : '' },
        });
        return;
      case 'function_call_output':
      case 'custom_tool_call_output':
        this.end();
        this.messages.push({
          role: 'tool',
          tool_call_id: text(item, 'call_id', path),
          content: readContent(item['output'], `${path}.output`, '\n'),
        });
        return;
      default:
        throw atOpenai(path, `an item of type ${typeName(type)}`, 'Leave it out.');
    }
  }

  end(): void {
    if (this.#turn !== null) this.messages.push(this.#turn);
    this.#turn = null;
  }

  #assistant(): Message {
    this.#turn ??= { role: 'assistant', content: null };
    return this.#turn;
  }

  #message(item: JsonObject, path: string): void {
    const { role } = item;
    if (role === 'assistant') {
      this.#say(readContent(item['content'], `${path}.content`, ''));
      return;
    }
    this.end();
    const content = readContent(item['content'], `${path}.content`, '\n\n');
    if (role === 'user') this.messages.push({ role: 'user', content });
    // Not every vendor knows the newer name.
    else if (role === 'system' || role === 'developer') this.messages.push({ role: 'system', content });
    else throw invalid(`${path}.role`, 'must be user, assistant, system or developer.');
  }

  #say(content: Json): void {
    const given = this.#turn?.['content'];
    // A text after a text is a new message; one after a call stays with it, because the results must follow the calls.
    if (typeof given === 'string' && this.#turn?.['tool_calls'] === undefined) this.end();
    const turn = this.#assistant();
    const parts: readonly Json[] = typeof content === 'string' ? [{ type: 'text', text: content }] : list(content);
    const refusal = parts.map((part) => (isJsonObject(part) && typeof part['refusal'] === 'string' ? part['refusal'] : '')).join('');
    const said = textIn(parts.filter((part) => isJsonObject(part) && part['type'] === 'text'));
    turn['content'] = typeof turn['content'] === 'string' ? `${turn['content']}\n\n${said}` : said;
    if (refusal !== '') turn['refusal'] = refusal;
  }

  #call(call: JsonObject): void {
    const turn = this.#assistant();
    turn['tool_calls'] = [...list(turn['tool_calls']), call];
  }

  #reasoning(item: JsonObject): void {
    if (this.#turn !== null && this.#turn['tool_calls'] === undefined && this.#turn['content'] !== null) this.end();
    const turn = this.#assistant();
    const thought = textIn(item['content']) || textIn(item['summary']);
    if (thought !== '') {
      const earlier = turn['reasoning_content'];
      turn['reasoning_content'] = typeof earlier === 'string' ? `${earlier}\n\n${thought}` : thought;
    }
    const packed = typeof item['encrypted_content'] === 'string' ? unpackThought(item['encrypted_content']) : undefined;
    const details = list(packed?.['details']);
    if (details.length > 0) turn['reasoning_details'] = [...list(turn['reasoning_details']), ...details];
  }
}

/** The messages of `input`; references must be resolved before. Throws a fault naming the item. */
export function readItems(input: Json | undefined): JsonObject[] {
  if (typeof input === 'string') return [{ role: 'user', content: input }];
  const conversation = new Conversation();
  list(input).forEach((item, index) => {
    if (!isJsonObject(item)) throw invalid(`input[${index}]`, 'must be an object.');
    conversation.add(item, `input[${index}]`);
  });
  conversation.end();
  return conversation.messages;
}

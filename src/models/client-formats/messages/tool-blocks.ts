/** Emits tool calls as consecutive blocks, although a vendor may interleave the pieces of several calls. */
import type { ChatEvent } from '../../../types/chat.ts';
import type { JsonObject } from '../../../types/json.ts';

interface Call {
  readonly id: string;
  readonly name: string;
  arguments: string;
}

export interface ToolSink {
  open(block: JsonObject): void;
  delta(delta: JsonObject): void;
  close(): void;
}

function isComplete(text: string): boolean {
  if (!text.trimEnd().endsWith('}')) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The first call is emitted as it arrives. Later ones wait until its arguments are complete, or for the end. */
export class ToolBlocks {
  readonly #sink: ToolSink;
  readonly #calls = new Map<number, Call>();
  readonly #waiting: Call[] = [];
  /** Members of Anthropic's tool call beyond name and arguments, by call id. */
  readonly #additionalMembers = new Map<string, JsonObject>();
  #current: Call | null = null;

  constructor(sink: ToolSink) {
    this.#sink = sink;
  }

  get any(): boolean {
    return this.#calls.size > 0;
  }

  /** True when the arguments of the current call are complete. */
  get complete(): boolean {
    return this.#current === null || isComplete(this.#current.arguments);
  }

  get waiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Remembers Anthropic's block of a call before the call starts. */
  rememberBlock(block: JsonObject): void {
    const { type: _type, id, name: _name, input: _input, ...more } = block;
    if (typeof id === 'string') this.#additionalMembers.set(id, more);
  }

  start({ call: number, id, name }: Extract<ChatEvent, { type: 'tool-call-start' }>): void {
    if (this.#calls.has(number)) return;
    const call: Call = { id, name, arguments: '' };
    this.#calls.set(number, call);
    if (this.#waiting.length === 0 && this.complete) this.#write(call);
    else this.#waiting.push(call);
  }

  arguments(number: number, text: string): void {
    const call = this.#calls.get(number);
    if (call === undefined || text === '') return;
    call.arguments += text;
    if (call === this.#current) this.#sink.delta({ type: 'input_json_delta', partial_json: text });
    else if (call === this.#waiting[0] && this.complete) {
      this.#waiting.shift();
      this.#write(call);
    }
  }

  /** Writes all waiting calls: at the end of the answer, or when another kind of content starts. */
  end(): void {
    for (const call of this.#waiting.splice(0)) this.#write(call);
    if (this.#current !== null) this.#sink.close();
    this.#current = null;
  }

  #write(call: Call): void {
    this.#current = call;
    this.#sink.open({ type: 'tool_use', id: call.id, name: call.name, input: {}, ...this.#additionalMembers.get(call.id) });
    if (call.arguments !== '') this.#sink.delta({ type: 'input_json_delta', partial_json: call.arguments });
  }
}

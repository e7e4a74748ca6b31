/** The output item of a model's tool call. */
import type { ChatEvent } from '../../../types/chat.ts';
import type { Json, JsonObject } from '../../../types/json.ts';
import type { EventSink } from './event-sink.ts';
import type { NamedOrigin } from './offered-tools.ts';

type Start = Extract<ChatEvent, { type: 'tool-call-start' }>;

export class CallItem {
  readonly item: Record<string, Json | undefined>;
  readonly #sink: EventSink;
  readonly #start: Start;
  readonly #custom: boolean;
  readonly #place: { readonly item_id: string; readonly output_index: number };
  #text = '';

  /** `origin`: the tool as the caller named it; undefined for a name that the caller did not offer. */
  constructor(sink: EventSink, start: Start, origin: NamedOrigin | undefined, id: string, outputIndex: number) {
    this.#sink = sink;
    this.#start = start;
    this.#custom = start.kind === 'custom';
    this.#place = { item_id: id, output_index: outputIndex };
    this.item = {
      id,
      type: this.#custom ? 'custom_tool_call' : 'function_call',
      status: 'in_progress',
      call_id: start.id,
      name: origin?.name ?? start.name,
      ...(origin?.namespace === undefined ? {} : { namespace: origin.namespace }),
      [this.#field]: '',
    };
    sink('response.output_item.added', { output_index: outputIndex, item: { ...this.item } });
  }

  get #field(): 'input' | 'arguments' {
    return this.#custom ? 'input' : 'arguments';
  }

  get #events(): string {
    return this.#custom ? 'response.custom_tool_call_input' : 'response.function_call_arguments';
  }

  /** The call in chat-completions form. */
  get call(): JsonObject {
    const { id, name } = this.#start;
    if (this.#custom) return { id, type: 'custom', custom: { name, input: this.#text } };
    return { id, type: 'function', function: { name, arguments: this.#text === '' ? '{}' : this.#text } };
  }

  add(delta: string): void {
    if (delta === '') return;
    this.#text += delta;
    this.#sink(`${this.#events}.delta`, { ...this.#place, delta });
  }

  close(status: 'completed' | 'incomplete'): void {
    // A function without arguments still gets an object.
    if (this.#text === '' && !this.#custom && status === 'completed') this.add('{}');
    this.item[this.#field] = this.#text;
    this.item['status'] = status;
    this.#sink(`${this.#events}.done`, {
      ...this.#place,
      [this.#field]: this.#text,
      ...(this.#custom ? {} : { name: this.item['name'] }),
    });
    this.#sink('response.output_item.done', { output_index: this.#place.output_index, item: { ...this.item } });
  }
}

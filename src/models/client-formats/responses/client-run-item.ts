/** The output item of a call that the client runs by a tool of OpenAI's, such as a shell command. */
import type { ChatEvent } from '../../../types/chat.ts';
import type { Json, JsonObject } from '../../../types/json.ts';
import { parseArguments } from '../../lenient-arguments.ts';
import type { ClientRunTool } from './client-run-tools.ts';
import type { EventSink } from './event-sink.ts';

type Start = Extract<ChatEvent, { type: 'tool-call-start' }>;

export class ClientRunItem {
  readonly item: Record<string, Json | undefined>;
  readonly #sink: EventSink;
  readonly #start: Start;
  readonly #tool: ClientRunTool;
  readonly #index: number;
  #text = '';
  #isAnnounced = false;

  constructor(sink: EventSink, start: Start, tool: ClientRunTool, id: string, outputIndex: number) {
    this.#sink = sink;
    this.#start = start;
    this.#tool = tool;
    this.#index = outputIndex;
    this.item = { id, type: tool.call, status: 'in_progress', call_id: start.id };
  }

  /** The call in chat-completions form. */
  get call(): JsonObject {
    const { id, name } = this.#start;
    return { id, type: 'function', function: { name, arguments: this.#text === '' ? '{}' : this.#text } };
  }

  add(delta: string): void {
    this.#text += delta;
  }

  /** Emits the beginning of the item, which clients check against the schema of the whole: it waits for the arguments, or for the next item. */
  announce(): void {
    if (this.#isAnnounced) return;
    this.#isAnnounced = true;
    this.announce();
    Object.assign(this.item, this.#tool.writeCall(parseArguments(this.#text)));
    this.#sink('response.output_item.added', { output_index: this.#index, item: { ...this.item } });
  }

  close(status: 'completed' | 'incomplete'): void {
    this.announce();
    Object.assign(this.item, this.#tool.writeCall(parseArguments(this.#text)), { status });
    this.#sink('response.output_item.done', { output_index: this.#index, item: { ...this.item } });
  }
}

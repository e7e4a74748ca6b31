/** The answer as chat-completions messages that a later response continues: one per round, with the results of server-side calls. */
import type { ChatEvent } from '../../../types/chat.ts';
import type { Json, JsonObject } from '../../../types/json.ts';
import { approvedCallId, placeOf, serverToolCall, serverToolOutput, serverToolResult } from '../server-tool-events.ts';

type Step = Extract<ChatEvent, { type: 'step' }>;

function conversationId(item: string, call: Step['call']): string {
  return call?.approval === undefined ? item : approvedCallId(call.approval);
}

export class Transcript {
  readonly #messages: JsonObject[] = [];
  #text = '';
  #refusal = '';
  #thought = '';
  #details: JsonObject[] = [];
  #images: JsonObject[] = [];
  #calls: (() => JsonObject)[] = [];
  /** Results of the current round, in the order of its calls. */
  #results = new Map<string, JsonObject>();
  #asks = false;

  say(text: string): void {
    this.#begin();
    this.#text += text;
  }

  refuse(text: string): void {
    this.#begin();
    this.#refusal += text;
  }

  think(text: string): void {
    this.#begin();
    this.#thought += text;
  }

  detail(detail: JsonObject): void {
    this.#begin();
    this.#details.push(detail);
  }

  /** A picture, as a data: URL or an address. */
  show(url: string): void {
    this.#begin();
    this.#images.push({ type: 'image_url', image_url: { url } });
  }

  /** A call of the caller's own function, read when the answer is complete. */
  call(whole: () => JsonObject): void {
    this.#begin();
    this.#calls.push(whole);
  }

  /** Marks a pending approval: an answer without other output is not a message. */
  ask(): void {
    this.#asks = true;
  }

  serverToolCall(item: string, { step, call }: Step): void {
    const id = conversationId(item, call);
    const { server, name } = placeOf(step.capability);
    // The calls of one round start together, so this one belongs to the next round.
    if ([...this.#results.values()].some(({ content }) => content !== null)) this.#end();
    this.#calls.push(() => serverToolCall(id, server, name, call?.arguments ?? ''));
    this.#results.set(id, { content: null });
  }

  serverToolResult(item: string, { call }: Step): void {
    const id = conversationId(item, call);
    this.#results.set(id, serverToolResult(id, serverToolOutput(call?.output ?? '')));
  }

  get messages(): readonly JsonObject[] {
    return this.#isEmpty && (this.#asks || this.#messages.length > 0) ? this.#messages : [...this.#messages, ...this.#round()];
  }

  get #isEmpty(): boolean {
    const isSilent = this.#text === '' && this.#refusal === '' && this.#thought === '';
    return isSilent && this.#calls.length === 0 && this.#details.length === 0 && this.#images.length === 0;
  }

  /** Output after results belongs to the next round. */
  #begin(): void {
    if (this.#results.size > 0) this.#end();
  }

  #end(): void {
    this.#messages.push(...this.#round());
    this.#text = '';
    this.#refusal = '';
    this.#thought = '';
    this.#details = [];
    this.#images = [];
    this.#calls = [];
    this.#results = new Map();
  }

  #round(): JsonObject[] {
    const calls = this.#calls.map((whole) => whole());
    const message: Record<string, Json> = { role: 'assistant', content: this.#text === '' && calls.length > 0 ? null : this.#text };
    if (this.#refusal !== '') message['refusal'] = this.#refusal;
    if (this.#thought !== '') message['reasoning_content'] = this.#thought;
    if (this.#details.length > 0) message['reasoning_details'] = this.#details;
    if (this.#images.length > 0) message['images'] = this.#images;
    if (calls.length > 0) message['tool_calls'] = calls;
    return [message, ...this.#results.values()];
  }
}

/** The answer as chat-completions messages that a later response continues: one per round, with the results of server-side calls. */
import type { ChatEvent } from '../../../types/chat.ts';
import type { Json, JsonObject } from '../../../types/json.ts';
import { approvedCallId, serverAndTool, serverToolCall, serverToolOutput, serverToolResult } from '../server-tool-events.ts';

type Step = Extract<ChatEvent, { type: 'step' }>;

function conversationId(item: string, call: Step['call']): string {
  return call?.approval === undefined ? item : approvedCallId(call.approval);
}

export class Transcript {
  readonly #messages: JsonObject[] = [];
  #text = '';
  #refusal = '';
  #reasoning = '';
  #details: JsonObject[] = [];
  #images: JsonObject[] = [];
  #calls: (() => JsonObject)[] = [];
  /** Results of the current round, in the order of its calls. */
  #results = new Map<string, JsonObject>();
  #hasPendingApproval = false;

  addText(text: string): void {
    this.#startNextRound();
    this.#text += text;
  }

  addRefusal(text: string): void {
    this.#startNextRound();
    this.#refusal += text;
  }

  addReasoning(text: string): void {
    this.#startNextRound();
    this.#reasoning += text;
  }

  addReasoningDetail(addReasoningDetail: JsonObject): void {
    this.#startNextRound();
    this.#details.push(addReasoningDetail);
  }

  /** A picture, as a data: URL or an address. */
  addImage(url: string): void {
    this.#startNextRound();
    this.#images.push({ type: 'image_url', image_url: { url } });
  }

  /** A call of the caller's own function, read when the answer is complete. */
  addCall(render: () => JsonObject): void {
    this.#startNextRound();
    this.#calls.push(render);
  }

  /** Marks a pending approval: an answer without other output is not a message. */
  markPendingApproval(): void {
    this.#hasPendingApproval = true;
  }

  serverToolCall(item: string, { step, call }: Step): void {
    const id = conversationId(item, call);
    const { server, name } = serverAndTool(step.capability);
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
    return this.#isEmpty && (this.#hasPendingApproval || this.#messages.length > 0)
      ? this.#messages
      : [...this.#messages, ...this.#round()];
  }

  get #isEmpty(): boolean {
    const isSilent = this.#text === '' && this.#refusal === '' && this.#reasoning === '';
    return isSilent && this.#calls.length === 0 && this.#details.length === 0 && this.#images.length === 0;
  }

  /** Output after results belongs to the next round. */
  #startNextRound(): void {
    if (this.#results.size > 0) this.#end();
  }

  #end(): void {
    this.#messages.push(...this.#round());
    this.#text = '';
    this.#refusal = '';
    this.#reasoning = '';
    this.#details = [];
    this.#images = [];
    this.#calls = [];
    this.#results = new Map();
  }

  #round(): JsonObject[] {
    const calls = this.#calls.map((render) => render());
    const message: Record<string, Json> = { role: 'assistant', content: this.#text === '' && calls.length > 0 ? null : this.#text };
    if (this.#refusal !== '') message['refusal'] = this.#refusal;
    if (this.#reasoning !== '') message['reasoning_content'] = this.#reasoning;
    if (this.#details.length > 0) message['reasoning_details'] = this.#details;
    if (this.#images.length > 0) message['images'] = this.#images;
    if (calls.length > 0) message['tool_calls'] = calls;
    return [message, ...this.#results.values()];
  }
}

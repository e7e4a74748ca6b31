/** Creates the output items of one response from the events of an answer. */
import type { ChatEvent } from '../../../types/chat.ts';
import type { JsonObject } from '../../../types/json.ts';
import { dataOf } from '../../answer-images.ts';
import { CallItem } from './call-item.ts';
import type { EventSink } from './event-sink.ts';
import { ImageItem } from './image-item.ts';
import { itemId, type ItemPrefix } from './ids.ts';
import { McpApprovalItem, McpCallItem } from './mcp-item.ts';
import { MessageItem } from './message-item.ts';
import { type ReasoningForm, ReasoningItem } from './reasoning-item.ts';
import { Transcript } from './transcript.ts';

/** Content of a choice, without its finish. */
export type ContentEvent = Exclude<ChatEvent, { type: 'response-start' | 'response-end' | 'step' | 'finish' }>;
type Step = Extract<ChatEvent, { type: 'step' }>;
type Item = MessageItem | ReasoningItem | CallItem | McpCallItem | McpApprovalItem | ImageItem;

export interface OutputForm extends ReasoningForm {
  /** False leaves out reasoning. */
  readonly reasoning: boolean;
}

export class Output {
  readonly #sink: EventSink;
  readonly #response: string;
  readonly #form: OutputForm;
  readonly #items: Item[] = [];
  readonly #calls = new Map<number, CallItem>();
  /** The open message or reasoning. Tool calls stay open beside it. */
  #open: MessageItem | ReasoningItem | null = null;
  /** Running server-side calls, by step id. */
  readonly #running = new Map<string, McpCallItem>();
  readonly #transcript = new Transcript();
  #hasSoundWithoutTranscript = false;

  constructor(sink: EventSink, response: string, form: OutputForm) {
    this.#sink = sink;
    this.#response = response;
    this.#form = form;
  }

  take(event: ContentEvent): void {
    switch (event.type) {
      case 'text-delta':
        this.#transcript.addText(event.text);
        if (event.text !== '' || event.logprobs !== undefined) this.#message().text(event.text, event.logprobs);
        return;
      case 'refusal-delta':
        this.#transcript.addRefusal(event.text);
        if (event.text !== '') this.#message().refusal(event.text);
        return;
      case 'annotation':
        this.#message().annotation(event.annotation);
        return;
      case 'reasoning-delta':
        this.#transcript.addReasoning(event.text);
        if (this.#form.reasoning && event.text !== '') this.#reasoning().text(event.text);
        return;
      case 'thought':
        this.#transcript.addReasoningDetail(event.detail);
        if (this.#form.encrypted) this.#reasoning().detail(event.detail);
        return;
      case 'tool-call-start':
        this.#call(event);
        return;
      case 'tool-call-delta':
        this.#calls.get(event.call)?.add(event.arguments);
        return;
      case 'image':
        this.#image(event.url);
        return;
      case 'audio-delta':
        this.#sound(event.audio);
        break;
      // Content of another vendor's format has no equivalent here.
      default:
    }
  }

  /** True when the answer held sound without a transcript. This format can carry the transcript only. */
  get hasOnlySound(): boolean {
    return this.#hasSoundWithoutTranscript && this.#items.length === 0;
  }

  #image(url: string): void {
    this.#transcript.addImage(url);
    const data = dataOf(url);
    // OpenAI's item embeds the picture. A picture elsewhere is emitted as a link.
    if (data === undefined) this.#message().text(`![picture](${url})`, undefined);
    else {
      this.#close('completed');
      this.#add('ig', (id, index) => new ImageItem(this.#sink, data.base64, data.mediaType, id, index));
    }
  }

  #sound({ transcript }: JsonObject): void {
    if (typeof transcript !== 'string') this.#hasSoundWithoutTranscript = true;
    else if (transcript !== '') {
      this.#transcript.addText(transcript);
      this.#message().text(transcript, undefined);
    }
  }

  /** A server-side call has started, has ended, or waits for approval. */
  step(event: Step): void {
    const { step } = event;
    if (event.call === undefined) return;
    if (step.status === 'approval_required') {
      this.#close('completed');
      this.#transcript.markPendingApproval();
      this.#items.push(new McpApprovalItem(this.#sink, event, this.#items.length));
    } else if (step.status === 'started') {
      this.#close('completed');
      const item = this.#add('mcp', (id, index) => new McpCallItem(this.#sink, event, id, index));
      this.#running.set(step.id, item);
      this.#transcript.serverToolCall(item.item['id'] as string, event);
    } else {
      const item = this.#running.get(step.id);
      this.#running.delete(step.id);
      item?.close(event);
      if (item !== undefined) this.#transcript.serverToolResult(item.item['id'] as string, event);
    }
  }

  /** Closes the output. `status`: the status of items that are still open. */
  end(status: 'completed' | 'incomplete'): void {
    this.#close(status);
    for (const call of this.#calls.values()) call.close(status);
  }

  get items(): readonly JsonObject[] {
    return this.#items.map(({ item }) => item);
  }

  /** The answer as chat-completions messages. */
  get messages(): readonly JsonObject[] {
    return this.#transcript.messages;
  }

  #add<T extends Item>(prefix: ItemPrefix, make: (id: string, index: number) => T): T {
    const index = this.#items.length;
    const item = make(itemId(prefix, this.#response, index), index);
    this.#items.push(item);
    return item;
  }

  #message(): MessageItem {
    if (this.#open instanceof MessageItem) return this.#open;
    this.#close('completed');
    const message = this.#add('msg', (id, index) => new MessageItem(this.#sink, id, index));
    this.#open = message;
    return message;
  }

  #reasoning(): ReasoningItem {
    if (this.#open instanceof ReasoningItem) return this.#open;
    this.#close('completed');
    const reasoning = this.#add('rs', (id, index) => new ReasoningItem(this.#sink, this.#form, id, index));
    this.#open = reasoning;
    return reasoning;
  }

  #call(start: Extract<ChatEvent, { type: 'tool-call-start' }>): void {
    if (this.#calls.has(start.call)) return;
    this.#close('completed');
    const call = this.#add(start.kind === 'custom' ? 'ctc' : 'fc', (id, index) => new CallItem(this.#sink, start, id, index));
    this.#calls.set(start.call, call);
    this.#transcript.addCall(() => call.call);
  }

  #close(status: 'completed' | 'incomplete'): void {
    this.#open?.close(status);
    this.#open = null;
  }
}

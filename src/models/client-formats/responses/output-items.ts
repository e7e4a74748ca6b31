/** Creates the output items of one response from the events of an answer. */
import type { ChatEvent } from '../../../types/chat.ts';
import { isJsonObject, type JsonObject } from '../../../types/json.ts';
import { dataOf } from '../../answer-images.ts';
import { invalidAnswer } from '../../answer-json.ts';
import { CallItem } from './call-item.ts';
import { ClientRunItem } from './client-run-item.ts';
import { CompactionItem } from './compaction-item.ts';
import { summaryMessage } from './compaction.ts';
import type { EventSink } from './event-sink.ts';
import { ImageItem } from './image-item.ts';
import { itemId } from './ids.ts';
import { McpApprovalItem, McpCallItem } from './mcp-item.ts';
import { MessageItem } from './message-item.ts';
import type { ToolOrigins } from './offered-tools.ts';
import { type ReasoningForm, ReasoningItem } from './reasoning-item.ts';
import { Transcript } from './transcript.ts';
import { prefixOf, VendorItem } from './vendor-item.ts';

/** Content of a choice, without its finish. */
export type ContentEvent = Exclude<ChatEvent, { type: 'response-start' | 'response-end' | 'step' | 'finish' }>;
type Step = Extract<ChatEvent, { type: 'step' }>;
type Item =
  | MessageItem
  | ReasoningItem
  | CallItem
  | ClientRunItem
  | McpCallItem
  | McpApprovalItem
  | ImageItem
  | VendorItem
  | CompactionItem;

export interface OutputForm extends ReasoningForm {
  /** False leaves out reasoning. */
  readonly reasoning: boolean;
  /** The origins of the offered tools' names. */
  readonly origins?: ToolOrigins;
  /** True when the answer is a summary of the conversation: one compaction item, and nothing else. */
  readonly compaction?: boolean;
}

export class Output {
  readonly #sink: EventSink;
  readonly #response: string;
  readonly #form: OutputForm;
  readonly #items: Item[] = [];
  readonly #calls = new Map<number, CallItem | ClientRunItem>();
  /** The open message or reasoning. Tool calls stay open beside it. */
  #open: MessageItem | ReasoningItem | null = null;
  /** Running server-side calls, by step id. */
  readonly #running = new Map<string, McpCallItem>();
  readonly #transcript = new Transcript();
  #hasSoundWithoutTranscript = false;
  #summary = '';
  /** The phase of the next message, as the vendor names it. */
  #phase: string | undefined;

  constructor(sink: EventSink, response: string, form: OutputForm) {
    this.#sink = sink;
    this.#response = response;
    this.#form = form;
  }

  take(event: ContentEvent): void {
    if (event.type === 'vendor') this.#vendor(event);
    else if (this.#form.compaction === true) {
      if (event.type === 'text-delta') this.#summary += event.text;
    } else this.#content(event);
  }

  #content(event: Exclude<ContentEvent, { type: 'vendor' }>): void {
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
    }
  }

  /** An item that a vendor of the same format has and the canonical events lack. */
  #vendor({ format, event: item }: Extract<ChatEvent, { type: 'vendor' }>): void {
    if (format !== 'openai-responses') return;
    const { type, annotation, phase } = item;
    if (type === 'annotation') {
      if (isJsonObject(annotation)) this.#message().rawAnnotation(annotation);
      return;
    }
    if (type === 'message') {
      this.#close('completed');
      this.#phase = typeof phase === 'string' ? phase : undefined;
      return;
    }
    this.#transcript.addReasoningDetail({ type: 'item', format, item });
    this.#close('completed');
    this.#add(prefixOf(item), (id, index) => new VendorItem(this.#sink, item, id, index));
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
      this.#announce();
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
    // A vendor that supports compaction has sent the compaction item itself.
    if (this.#form.compaction !== true || this.#items.length > 0) return;
    if (this.#summary.trim() === '') throw invalidAnswer('a compaction without a summary', '');
    this.#add('cmp', (id, index) => new CompactionItem(this.#sink, this.#summary, id, index));
  }

  get items(): readonly JsonObject[] {
    return this.#items.map(({ item }) => item);
  }

  /** The answer as chat-completions messages. */
  get messages(): readonly JsonObject[] {
    return this.#summary === '' ? this.#transcript.messages : [summaryMessage(this.#summary)];
  }

  #add<T extends Item>(prefix: string, make: (id: string, index: number) => T): T {
    this.#announce();
    const index = this.#items.length;
    const item = make(itemId(prefix, this.#response, index), index);
    this.#items.push(item);
    return item;
  }

  /** Items begin in the order of their indexes. */
  #announce(): void {
    for (const call of this.#calls.values()) if (call instanceof ClientRunItem) call.announce();
  }

  #message(): MessageItem {
    if (this.#open instanceof MessageItem) return this.#open;
    this.#close('completed');
    const message = this.#add('msg', (id, index) => new MessageItem(this.#sink, id, index, this.#phase));
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
    const origin = this.#form.origins?.of(start.name);
    const call =
      origin?.kind === 'client-run'
        ? this.#add(origin.tool.prefix, (id, index) => new ClientRunItem(this.#sink, start, origin.tool, id, index))
        : this.#add(start.kind === 'custom' ? 'ctc' : 'fc', (id, index) => new CallItem(this.#sink, start, origin, id, index));
    this.#calls.set(start.call, call);
    this.#transcript.addCall(() => call.call);
  }

  #close(status: 'completed' | 'incomplete'): void {
    this.#open?.close(status);
    this.#open = null;
  }
}

/** Emits an answer as content blocks, one after the other, from events that have no blocks. */
import type { ChatEvent } from '../../../types/chat.ts';
import { isJsonObject, type JsonObject } from '../../../types/json.ts';
import { dataOf } from '../../answer-images.ts';
import { encodeReasoning } from '../encoded-reasoning.ts';
import { ToolBlocks } from './tool-blocks.ts';

/** Receives blocks: a stream or one message. Indexes start at 0. A block is closed before the next is opened. */
export interface BlockSink {
  open(index: number, block: JsonObject): void;
  delta(index: number, delta: JsonObject): void;
  close(index: number): void;
}

/** Content of a choice, without its finish. */
export type ContentEvent = Exclude<ChatEvent, { type: 'response-start' | 'response-end' | 'step' | 'finish' }>;

/** Anthropic's start of a tool call. It precedes the `tool-call-start` event and carries members that the event lacks. */
function isToolUse({ format, event }: Extract<ChatEvent, { type: 'vendor' }>): boolean {
  const block = event['content_block'];
  return format === 'anthropic' && event['type'] === 'content_block_start' && isJsonObject(block) && block['type'] === 'tool_use';
}

/** The longest quote of a page in Anthropic's answers, in characters. */
const maxQuoteLength = 150;

type Kind = 'text' | 'thinking' | 'tool' | 'vendor';

export class Blocks {
  /** True when a refusal had a text. Anthropic reports a refusal in the stop reason only. */
  refused = false;
  readonly #sink: BlockSink;
  readonly #includeReasoning: boolean;
  readonly #tools: ToolBlocks;
  /** Calls emitted as the vendor's own blocks, by id. */
  readonly #vendorCalls = new Set<unknown>();
  /** Calls that the vendor has started, by its block index. They are emitted as its own blocks when vendor events for them follow. */
  readonly #startedVendorCalls = new Map<unknown, JsonObject>();
  readonly #emittedCalls = new Set<number>();
  /** The vendor's indexes of blocks that only Anthropic has. */
  readonly #vendorIndexes = new Map<unknown, number>();
  /** Events that arrived between the pieces of a call. They wait until the call is complete. */
  #deferred: ContentEvent[] = [];
  #next = 0;
  #open: Kind | null = null;
  /** True for an answer of Anthropic, which carries its own citations. */
  #fromAnthropic = false;
  #hasContent = false;
  #hasSoundWithoutTranscript = false;

  /** `reasoning`: false leaves out reasoning text. Signatures and encrypted data that a vendor requires back are kept. */
  constructor(sink: BlockSink, reasoning: boolean) {
    this.#sink = sink;
    this.#includeReasoning = reasoning;
    this.#tools = new ToolBlocks({
      open: (block) => this.#openBlock('tool', block),
      delta: (delta) => this.#delta(delta),
      close: () => this.#close(),
    });
  }

  get calledTools(): boolean {
    return this.#tools.any || this.#emittedCalls.size > 0;
  }

  take(event: ContentEvent): void {
    if (event.type === 'tool-call-start' && this.#vendorCalls.has(event.id)) this.#emittedCalls.add(event.call);
    else if (event.type === 'tool-call-start') {
      if (this.#open !== 'tool') this.#close();
      this.#tools.start(event);
    } else if (event.type === 'tool-call-delta') {
      if (!this.#emittedCalls.has(event.call)) this.#tools.arguments(event.call, event.arguments);
    } else if (event.type === 'vendor' && isToolUse(event)) {
      const block = event.event['content_block'] as JsonObject;
      this.#tools.rememberBlock(block);
      this.#startedVendorCalls.set(event.event['index'], block);
    } else if (this.#open !== 'tool') this.#emit(event);
    else if (this.#deferred.length === 0 && this.#tools.complete && !this.#tools.waiting) {
      this.#tools.end();
      this.#emit(event);
    } else this.#deferred.push(event);
  }

  /** Completes open and waiting blocks: at the end of the answer, or when a server-side tool runs. */
  end(): void {
    this.#tools.end();
    for (const event of this.#deferred.splice(0)) this.#emit(event);
    this.#close();
  }

  /** True when the answer held sound without a transcript. This format can carry the transcript only. */
  get hasOnlySound(): boolean {
    return this.#hasSoundWithoutTranscript && !this.#hasContent;
  }

  /** Emits a complete block. */
  add(block: JsonObject, delta?: JsonObject): void {
    this.end();
    this.#openBlock('vendor', block);
    if (delta !== undefined) this.#delta(delta);
    this.#close();
  }

  #emit(event: ContentEvent): void {
    switch (event.type) {
      case 'text-delta':
        this.#text(event.text);
        return;
      case 'refusal-delta':
        this.refused = true;
        this.#text(event.text);
        return;
      case 'reasoning-delta':
        if (this.#includeReasoning && event.text !== '') this.#reasoningText(event.text);
        return;
      case 'thought':
        this.#thought(event.detail);
        return;
      case 'image':
        this.#image(event.url);
        return;
      case 'audio-delta':
        this.#sound(event.audio);
        return;
      case 'annotation':
        this.#citation(event.annotation);
        return;
      case 'vendor':
        if (event.format !== 'anthropic') return;
        this.#fromAnthropic = true;
        this.#vendor(event.event);
        break;
      default:
    }
  }

  #openBlock(kind: Kind, block: JsonObject): number {
    this.#close();
    this.#open = kind;
    this.#sink.open(this.#next, block);
    return this.#next++;
  }

  #delta(delta: JsonObject): void {
    this.#sink.delta(this.#next - 1, delta);
  }

  #close(): void {
    if (this.#open === null) return;
    this.#open = null;
    this.#sink.close(this.#next - 1);
  }

  #text(text: string): void {
    if (text === '') return;
    this.#hasContent = true;
    if (this.#open !== 'text') this.#openBlock('text', { type: 'text', text: '' });
    this.#delta({ type: 'text_delta', text });
  }

  /** A picture in the form of Anthropic's requests. */
  #image(url: string): void {
    const data = dataOf(url);
    const source = data === undefined ? { type: 'url', url } : { type: 'base64', media_type: data.mediaType, data: data.base64 };
    this.#hasContent = true;
    this.#openBlock('vendor', { type: 'image', source });
    this.#close();
  }

  #sound({ transcript }: JsonObject): void {
    if (typeof transcript === 'string') this.#text(transcript);
    else this.#hasSoundWithoutTranscript = true;
  }

  /** A web page that another vendor cites: on the open text block, or on a new one. */
  #citation(annotation: JsonObject): void {
    const citation = annotation['url_citation'];
    if (this.#fromAnthropic || annotation['type'] !== 'url_citation' || !isJsonObject(citation)) return;
    const { title, content } = citation;
    const url = typeof citation['url'] === 'string' ? citation['url'] : '';
    if (this.#open !== 'text') this.#text(`[${typeof title === 'string' ? title : url}](${url})`);
    const cited = typeof content === 'string' ? content.slice(0, maxQuoteLength).toWellFormed() : '';
    this.#delta({
      type: 'citations_delta',
      citation: { type: 'web_search_result_location', url, title: title ?? null, cited_text: cited, encrypted_index: '' },
    });
  }

  #reasoningText(thinking: string): void {
    if (this.#open !== 'thinking') this.#openBlock('thinking', { type: 'thinking', thinking: '', signature: '' });
    if (thinking !== '') this.#delta({ type: 'thinking_delta', thinking });
  }

  #thought(detail: JsonObject): void {
    const { format, signature, data, text } = detail;
    if (format !== 'anthropic') this.#openBlock('thinking', { type: 'redacted_thinking', data: encodeReasoning(detail) });
    else if (typeof data === 'string') this.#openBlock('thinking', { type: 'redacted_thinking', data });
    else if (typeof signature === 'string') {
      if (this.#open !== 'thinking') this.#reasoningText(this.#includeReasoning && typeof text === 'string' ? text : '');
      this.#delta({ type: 'signature_delta', signature });
    } else return;
    this.#close();
  }

  #vendor(event: JsonObject): void {
    const { type, index, content_block: block, delta } = event;
    const call = this.#startedVendorCalls.get(index);
    if (call !== undefined) {
      this.#startedVendorCalls.delete(index);
      if (type !== 'content_block_start') {
        this.#vendorCalls.add(call['id']);
        this.#vendorIndexes.set(index, this.#openBlock('vendor', call));
      }
    }
    if (type === 'content_block_start' && isJsonObject(block)) this.#vendorIndexes.set(index, this.#openBlock('vendor', block));
    else if (type === 'content_block_delta' && isJsonObject(delta)) {
      const vendorIndex = this.#vendorIndexes.get(index);
      // A citation of a text that is not the vendor's own block.
      if (vendorIndex === undefined && this.#open !== 'text') this.#openBlock('text', { type: 'text', text: '' });
      if (vendorIndex === undefined || vendorIndex === this.#next - 1) this.#delta(delta);
    } else if (type === 'content_block_stop') this.#close();
  }
}

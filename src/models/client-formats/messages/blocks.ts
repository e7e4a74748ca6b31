/** The content blocks of one answer, in order and one at a time, from events that know no blocks. */
import type { ChatEvent } from '../../../types/chat.ts';
import { isJsonObject, type JsonObject } from '../../../types/json.ts';
import { dataOf } from '../../answer-images.ts';
import { encodeReasoning } from '../encoded-reasoning.ts';
import { ToolBlocks } from './tool-blocks.ts';

/** Where blocks go: into a stream, or into one message. Indexes run from 0; a block is closed before the next is opened. */
export interface BlockSink {
  open(index: number, block: JsonObject): void;
  delta(index: number, delta: JsonObject): void;
  close(index: number): void;
}

/** Events that say something of a choice, other than its end. */
export type ContentEvent = Exclude<ChatEvent, { type: 'response-start' | 'response-end' | 'step' | 'finish' }>;

/** A call as Anthropic began it: said for its further members, before the call itself. */
function isToolUse({ format, event }: Extract<ChatEvent, { type: 'vendor' }>): boolean {
  const block = event['content_block'];
  return format === 'anthropic' && event['type'] === 'content_block_start' && isJsonObject(block) && block['type'] === 'tool_use';
}

/** Anthropic quotes so many characters of a page. */
const longestQuote = 150;

type Kind = 'text' | 'thinking' | 'tool' | 'vendor';

export class Blocks {
  /** Anything was refused in words of its own: Anthropic says so in the stop reason only. */
  refused = false;
  readonly #sink: BlockSink;
  readonly #reasoning: boolean;
  readonly #tools: ToolBlocks;
  /** Calls that stand there as the vendor's own blocks, by id; and by number, once the caller is to run them. */
  readonly #vendorCalls = new Set<unknown>();
  /** Calls that the vendor has begun, by its indexes; they stand there as its own blocks if it goes on with them. */
  readonly #begunCalls = new Map<unknown, JsonObject>();
  readonly #shownCalls = new Set<number>();
  /** The vendor's own indexes of blocks that only Anthropic has. */
  readonly #vendorIndexes = new Map<unknown, number>();
  /** What came between the pieces of a call waits until that is whole. */
  #held: ContentEvent[] = [];
  #next = 0;
  #open: Kind | null = null;
  /** Anthropic speaks itself, and tells its citations in its own words. */
  #native = false;
  #said = false;
  #silentSound = false;

  /** `reasoning` false leaves out the text of thoughts; what a vendor wants back of them stays. */
  constructor(sink: BlockSink, reasoning: boolean) {
    this.#sink = sink;
    this.#reasoning = reasoning;
    this.#tools = new ToolBlocks({
      open: (block) => this.#begin('tool', block),
      delta: (delta) => this.#delta(delta),
      close: () => this.#close(),
    });
  }

  get calledTools(): boolean {
    return this.#tools.any || this.#shownCalls.size > 0;
  }

  take(event: ContentEvent): void {
    if (event.type === 'tool-call-start' && this.#vendorCalls.has(event.id)) this.#shownCalls.add(event.call);
    else if (event.type === 'tool-call-start') {
      if (this.#open !== 'tool') this.#close();
      this.#tools.start(event);
    } else if (event.type === 'tool-call-delta') {
      if (!this.#shownCalls.has(event.call)) this.#tools.arguments(event.call, event.arguments);
    } else if (event.type === 'vendor' && isToolUse(event)) {
      const block = event.event['content_block'] as JsonObject;
      this.#tools.know(block);
      this.#begunCalls.set(event.event['index'], block);
    } else if (this.#open !== 'tool') this.#say(event);
    else if (this.#held.length === 0 && this.#tools.complete && !this.#tools.waiting) {
      this.#tools.end();
      this.#say(event);
    } else this.#held.push(event);
  }

  /** The answer is over, or a tool runs at the server: what is open or still waits is completed. */
  end(): void {
    this.#tools.end();
    for (const event of this.#held.splice(0)) this.#say(event);
    this.#close();
  }

  /** Sound came without its words, which alone have a place in this format. */
  get lostSound(): boolean {
    return this.#silentSound && !this.#said;
  }

  /** A block that is whole at once. */
  add(block: JsonObject, delta?: JsonObject): void {
    this.end();
    this.#begin('vendor', block);
    if (delta !== undefined) this.#delta(delta);
    this.#close();
  }

  #say(event: ContentEvent): void {
    switch (event.type) {
      case 'text-delta':
        this.#text(event.text);
        return;
      case 'refusal-delta':
        this.refused = true;
        this.#text(event.text);
        return;
      case 'reasoning-delta':
        if (this.#reasoning && event.text !== '') this.#think(event.text);
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
        this.#cite(event.annotation);
        return;
      case 'vendor':
        if (event.format !== 'anthropic') return;
        this.#native = true;
        this.#vendor(event.event);
        break;
      default:
    }
  }

  #begin(kind: Kind, block: JsonObject): number {
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
    this.#said = true;
    if (this.#open !== 'text') this.#begin('text', { type: 'text', text: '' });
    this.#delta({ type: 'text_delta', text });
  }

  /** A picture as Anthropic's requests have them. */
  #image(url: string): void {
    const data = dataOf(url);
    const source = data === undefined ? { type: 'url', url } : { type: 'base64', media_type: data.mediaType, data: data.base64 };
    this.#said = true;
    this.#begin('vendor', { type: 'image', source });
    this.#close();
  }

  #sound({ transcript }: JsonObject): void {
    if (typeof transcript === 'string') this.#text(transcript);
    else this.#silentSound = true;
  }

  /** A page of the web that another vendor cites: on the text that is open, or on a text of its own. */
  #cite(annotation: JsonObject): void {
    const citation = annotation['url_citation'];
    if (this.#native || annotation['type'] !== 'url_citation' || !isJsonObject(citation)) return;
    const { title, content } = citation;
    const url = typeof citation['url'] === 'string' ? citation['url'] : '';
    if (this.#open !== 'text') this.#text(`[${typeof title === 'string' ? title : url}](${url})`);
    const cited = typeof content === 'string' ? content.slice(0, longestQuote).toWellFormed() : '';
    this.#delta({
      type: 'citations_delta',
      citation: { type: 'web_search_result_location', url, title: title ?? null, cited_text: cited, encrypted_index: '' },
    });
  }

  #think(thinking: string): void {
    if (this.#open !== 'thinking') this.#begin('thinking', { type: 'thinking', thinking: '', signature: '' });
    if (thinking !== '') this.#delta({ type: 'thinking_delta', thinking });
  }

  #thought(detail: JsonObject): void {
    const { format, signature, data, text } = detail;
    if (format !== 'anthropic') this.#begin('thinking', { type: 'redacted_thinking', data: encodeReasoning(detail) });
    else if (typeof data === 'string') this.#begin('thinking', { type: 'redacted_thinking', data });
    else if (typeof signature === 'string') {
      if (this.#open !== 'thinking') this.#think(this.#reasoning && typeof text === 'string' ? text : '');
      this.#delta({ type: 'signature_delta', signature });
    } else return;
    this.#close();
  }

  #vendor(event: JsonObject): void {
    const { type, index, content_block: block, delta } = event;
    const call = this.#begunCalls.get(index);
    if (call !== undefined) {
      this.#begunCalls.delete(index);
      if (type !== 'content_block_start') {
        this.#vendorCalls.add(call['id']);
        this.#vendorIndexes.set(index, this.#begin('vendor', call));
      }
    }
    if (type === 'content_block_start' && isJsonObject(block)) this.#vendorIndexes.set(index, this.#begin('vendor', block));
    else if (type === 'content_block_delta' && isJsonObject(delta)) {
      const own = this.#vendorIndexes.get(index);
      // A delta of a text that is not the vendor's alone: its citations.
      if (own === undefined && this.#open !== 'text') this.#begin('text', { type: 'text', text: '' });
      if (own === undefined || own === this.#next - 1) this.#delta(delta);
    } else if (type === 'content_block_stop') this.#close();
  }
}

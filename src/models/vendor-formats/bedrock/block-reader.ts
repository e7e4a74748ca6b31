/** Reads the content blocks of one answer of Converse, whole or in deltas. Tool calls are numbered separately from blocks. */
import type { ChatEvent } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { imageDataUrl } from '../../answer-images.ts';
import { invalidAnswer } from '../../answer-json.ts';
import { CallIds } from '../../call-ids.ts';

type Block =
  | { readonly kind: 'text'; readonly start: number; readonly citations: JsonObject[] }
  | { readonly kind: 'thinking'; text: string; signature: string }
  | { readonly kind: 'tool'; readonly call: number }
  /** A tool that Bedrock itself executes. */
  | { readonly kind: 'silent' };

const choice = 0;

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** Converts a web citation to OpenAI's form. Citations of documents have no address. */
function urlCitation(citation: JsonObject, start: number, end: number): JsonObject | undefined {
  const location = isJsonObject(citation['location']) ? citation['location'] : {};
  const web = isJsonObject(location['web']) ? location['web'] : {};
  const url = textOf(web['url']) || textOf(citation['source']);
  if (!/^https?:\/\//.test(url)) return undefined;
  const title = textOf(citation['title']) || url;
  return { type: 'url_citation', url_citation: { start_index: start, end_index: end, url, title } };
}

export class BlockReader {
  readonly #open = new Map<Json | undefined, Block>();
  readonly #ids = new CallIds();
  #calls = 0;
  /** The length of the text so far, in characters. */
  #length = 0;

  get calledTools(): boolean {
    return this.#calls > 0;
  }

  /** Reads a block of a whole answer. */
  read(index: number, block: JsonObject, events: ChatEvent[]): void {
    const { text, toolUse, reasoningContent: reasoning, citationsContent: cited, image } = block;
    if (typeof text === 'string') this.delta(index, { text }, events);
    else if (isJsonObject(toolUse)) {
      this.start(index, { toolUse }, events);
      const { input } = toolUse;
      const whole = typeof input === 'string' ? input : isJsonObject(input) && Object.keys(input).length > 0 ? JSON.stringify(input) : '';
      this.delta(index, { toolUse: { input: whole } }, events);
    } else if (isJsonObject(reasoning)) {
      const reasoningText = isJsonObject(reasoning['reasoningText']) ? reasoning['reasoningText'] : {};
      this.delta(index, { reasoningContent: { ...reasoning, ...reasoningText } }, events);
    } else if (isJsonObject(cited)) {
      const parts = Array.isArray(cited['content']) ? (cited['content'] as readonly Json[]) : [];
      this.delta(index, { text: parts.map((part) => (isJsonObject(part) ? textOf(part['text']) : '')).join('') }, events);
      const citations = Array.isArray(cited['citations']) ? (cited['citations'] as readonly Json[]) : [];
      for (const citation of citations) this.delta(index, { citation }, events);
    } else if (isJsonObject(image)) this.delta(index, { image }, events);
    this.stop(index, events);
  }

  start(index: Json | undefined, start: JsonObject, events: ChatEvent[]): void {
    const tool = start['toolUse'];
    if (!isJsonObject(tool)) return;
    if (textOf(tool['type']) === 'server_tool_use') {
      this.#begin(index, { kind: 'silent' }, events);
      return;
    }
    const name = textOf(tool['name']);
    if (name === '') throw invalidAnswer('a tool call without a name');
    const call = this.#calls++;
    this.#begin(index, { kind: 'tool', call }, events);
    events.push({ type: 'tool-call-start', choice, call, id: this.#ids.take(tool['toolUseId']), name });
  }

  /** Text and reasoning need no start: their first delta opens the block. */
  delta(index: Json | undefined, delta: JsonObject, events: ChatEvent[]): void {
    const { text, toolUse, reasoningContent: reasoning, citation, image } = delta;
    if (typeof text === 'string') this.#text(index, text, events);
    else if (isJsonObject(toolUse)) this.#arguments(index, textOf(toolUse['input']), events);
    else if (isJsonObject(reasoning)) this.#think(index, reasoning, events);
    else if (isJsonObject(citation)) this.#textBlock(index, events)?.citations.push(citation);
    else if (isJsonObject(image) && isJsonObject(image['source'])) {
      const bytes = textOf(image['source']['bytes']);
      if (bytes !== '') events.push({ type: 'image', choice, url: imageDataUrl(bytes, `image/${textOf(image['format'])}`) });
    }
  }

  stop(index: Json | undefined, events: ChatEvent[]): void {
    const block = this.#open.get(index);
    if (block === undefined) return;
    this.#open.delete(index);
    if (block.kind === 'thinking' && block.signature !== '') {
      const { text, signature } = block;
      events.push({ type: 'thought', choice, detail: { type: 'reasoning.text', format: 'bedrock', text, signature } });
    }
    if (block.kind !== 'text') return;
    for (const citation of block.citations) {
      const annotation = urlCitation(citation, block.start, this.#length);
      if (annotation !== undefined) events.push({ type: 'annotation', choice, annotation });
    }
  }

  /** Ends the answer. Some models do not close their blocks. */
  end(events: ChatEvent[]): void {
    for (const index of this.#open.keys()) this.stop(index, events);
  }

  #textBlock(index: Json | undefined, events: ChatEvent[]): Extract<Block, { kind: 'text' }> | undefined {
    const open = this.#open.get(index);
    if (open?.kind === 'text') return open;
    if (open?.kind === 'silent') return undefined;
    const block: Extract<Block, { kind: 'text' }> = { kind: 'text', start: this.#length, citations: [] };
    this.#begin(index, block, events);
    return block;
  }

  /** Some models do not close their blocks. Reasoning ends when another block starts. */
  #begin(index: Json | undefined, block: Block, events: ChatEvent[]): void {
    for (const [other, open] of this.#open) if (other === index || open.kind === 'thinking') this.stop(other, events);
    this.#open.set(index, block);
  }

  #text(index: Json | undefined, text: string, events: ChatEvent[]): void {
    if (this.#textBlock(index, events) === undefined || text === '') return;
    this.#length += text.length;
    events.push({ type: 'text-delta', choice, text });
  }

  #arguments(index: Json | undefined, text: string, events: ChatEvent[]): void {
    const open = this.#open.get(index);
    if (open?.kind === 'silent' || text === '') return;
    if (open?.kind !== 'tool') throw invalidAnswer('arguments of a tool call that has not begun');
    events.push({ type: 'tool-call-delta', choice, call: open.call, arguments: text });
  }

  #think(index: Json | undefined, reasoning: JsonObject, events: ChatEvent[]): void {
    const redacted = textOf(reasoning['redactedContent']);
    if (redacted !== '') {
      events.push({ type: 'thought', choice, detail: { type: 'reasoning.encrypted', format: 'bedrock', data: redacted } });
    }
    const text = textOf(reasoning['text']);
    const signature = textOf(reasoning['signature']);
    if (text === '' && signature === '') return;
    let block = this.#open.get(index);
    if (block?.kind !== 'thinking') {
      block = { kind: 'thinking', text: '', signature: '' };
      this.#begin(index, block, events);
    }
    block.text += text;
    block.signature += signature;
    if (text !== '') events.push({ type: 'reasoning-delta', choice, text });
  }
}

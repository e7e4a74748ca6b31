/** Reads the content blocks of one answer, whole or in deltas. Block indexes are Anthropic's; tool calls are numbered separately. */
import type { ChatEvent } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { invalidAnswer } from '../../answer-json.ts';
import { CallIds } from '../../call-ids.ts';
import { isProgrammaticCall } from '../../conversation/claude-calls.ts';
import { urlCitation } from './citations.ts';

type Block =
  | { readonly kind: 'text'; readonly start: number; readonly citations: JsonObject[] }
  | { readonly kind: 'thinking'; text: string; signature: string }
  | { readonly kind: 'tool'; readonly call: number; readonly input: Json | undefined; hasArguments: boolean }
  /** A call made by code at the vendor, which may already have its result. */
  | {
      readonly kind: 'programmatic';
      readonly program: string;
      readonly name: string;
      readonly id: string;
      readonly input: Json | undefined;
      text: string;
    }
  /** Content that only Anthropic has: its own tools and their results. */
  | { readonly kind: 'vendor' }
  | { readonly kind: 'complete' };

const choice = 0;
/** Members of a call that have their own place in an event. */
const callMembers: ReadonlySet<string> = new Set(['type', 'id', 'name', 'input']);

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

export class BlockReader {
  readonly #open = new Map<Json | undefined, Block>();
  readonly #ids = new CallIds();
  /** Calls by code at the vendor that have no result yet, in order. */
  readonly #pending = new Map<string, Extract<Block, { kind: 'programmatic' }>>();
  #calls = 0;
  /** The length of the text so far, in characters. */
  #length = 0;
  #any = false;

  /** True after the first content. */
  get any(): boolean {
    return this.#any;
  }

  get calledTools(): boolean {
    return this.#calls > 0;
  }

  /** Reads a block of a whole answer. */
  read(index: number, block: JsonObject, events: ChatEvent[]): void {
    this.start(index, block, events);
    this.stop(index, events);
  }

  /** Starts a block with the content that it already has. */
  start(index: Json | undefined, block: JsonObject, events: ChatEvent[]): void {
    this.stop(index, events);
    this.#any = true;
    this.#open.set(index, this.#begin(index, block, events));
    if (block['type'] === 'text') {
      this.#text(textOf(block['text']), events);
      const { citations } = block;
      if (Array.isArray(citations)) {
        for (const citation of citations as readonly Json[]) this.delta(index, { type: 'citations_delta', citation }, events);
      }
    } else if (block['type'] === 'thinking') this.#think(textOf(block['thinking']), events);
  }

  #begin(index: Json | undefined, block: JsonObject, events: ChatEvent[]): Block {
    switch (block['type']) {
      case 'text':
        return { kind: 'text', start: this.#length, citations: [] };
      case 'thinking':
        return { kind: 'thinking', text: textOf(block['thinking']), signature: textOf(block['signature']) };
      case 'redacted_thinking':
        events.push({
          type: 'thought',
          choice,
          detail: { type: 'reasoning.encrypted', format: 'anthropic', data: textOf(block['data']) },
        });
        return { kind: 'complete' };
      case 'tool_use': {
        const name = textOf(block['name']);
        if (name === '') throw invalidAnswer('a tool call without a name');
        if (isProgrammaticCall(block)) return this.#programmatic(index, block, name, events);
        // Such as the call's `caller`: a client of the same format must send it back.
        if (Object.keys(block).some((key) => !callMembers.has(key)))
          this.#vendor({ type: 'content_block_start', index: index ?? null, content_block: block }, events);
        const call = this.#calls++;
        events.push({ type: 'tool-call-start', choice, call, id: this.#ids.take(block['id']), name });
        return { kind: 'tool', call, input: block['input'], hasArguments: false };
      }
      default:
        this.#endPending(textOf(block['tool_use_id']));
        this.#vendor({ type: 'content_block_start', index: index ?? null, content_block: block }, events);
        return { kind: 'vendor' };
    }
  }

  /** A result for a call, or for the program that made it: the caller does not execute the call. */
  #endPending(id: string): void {
    if (id === '') return;
    for (const [call, { program }] of this.#pending) if (call === id || program === id) this.#pending.delete(call);
  }

  /** Forwarded unchanged to a client of the same format. Whether the caller must execute the call is known at the end only. */
  #programmatic(index: Json | undefined, block: JsonObject, name: string, events: ChatEvent[]): Block {
    this.#vendor({ type: 'content_block_start', index: index ?? null, content_block: block }, events);
    const id = this.#ids.take(block['id']);
    const program = isJsonObject(block['caller']) ? textOf(block['caller']['tool_id']) : '';
    const call: Extract<Block, { kind: 'programmatic' }> = { kind: 'programmatic', program, name, id, input: block['input'], text: '' };
    this.#pending.set(id, call);
    return call;
  }

  delta(index: Json | undefined, delta: JsonObject, events: ChatEvent[]): void {
    const block = this.#open.get(index);
    if (block?.kind === 'vendor' || block?.kind === 'programmatic') {
      if (block.kind === 'programmatic') block.text += textOf(delta['partial_json']);
      this.#vendor({ type: 'content_block_delta', index: index ?? null, delta }, events);
      return;
    }
    switch (delta['type']) {
      case 'text_delta':
        this.#text(textOf(delta['text']), events);
        return;
      case 'citations_delta':
        if (isJsonObject(delta['citation']) && block?.kind === 'text') block.citations.push(delta['citation']);
        this.#vendor({ type: 'content_block_delta', index: index ?? null, delta }, events);
        return;
      case 'thinking_delta':
        if (block?.kind === 'thinking') block.text += textOf(delta['thinking']);
        this.#think(textOf(delta['thinking']), events);
        return;
      case 'signature_delta':
        if (block?.kind === 'thinking') block.signature += textOf(delta['signature']);
        return;
      case 'input_json_delta': {
        const text = textOf(delta['partial_json']);
        if (text === '') return;
        if (block?.kind !== 'tool') throw invalidAnswer('arguments of a tool call that has not begun');
        block.hasArguments = true;
        events.push({ type: 'tool-call-delta', choice, call: block.call, arguments: text });
        break;
      }
      // This format does not know newer types of deltas.
      default:
    }
  }

  stop(index: Json | undefined, events: ChatEvent[]): void {
    const block = this.#open.get(index);
    if (block === undefined) return;
    this.#open.delete(index);
    if (block.kind === 'thinking' && block.signature !== '') {
      const { text, signature } = block;
      events.push({ type: 'thought', choice, detail: { type: 'reasoning.text', format: 'anthropic', text, signature } });
    } else if (block.kind === 'tool') {
      // The input is complete at the start, as in a whole answer.
      if (block.hasArguments || !isJsonObject(block.input) || Object.keys(block.input).length === 0) return;
      events.push({ type: 'tool-call-delta', choice, call: block.call, arguments: JSON.stringify(block.input) });
    } else if (block.kind === 'text') this.#endText(index, block, events);
    else if (block.kind === 'vendor' || block.kind === 'programmatic')
      this.#vendor({ type: 'content_block_stop', index: index ?? null }, events);
  }

  /** Ends the answer. `calling`: it ended so that the caller executes tools. */
  end(events: ChatEvent[], calling: boolean): void {
    for (const index of this.#open.keys()) this.stop(index, events);
    if (!calling) return;
    for (const { id, name, input, text } of this.#pending.values()) {
      const call = this.#calls++;
      events.push({ type: 'tool-call-start', choice, call, id, name });
      const given = text !== '' || !isJsonObject(input) ? text : JSON.stringify(input);
      if (given !== '') events.push({ type: 'tool-call-delta', choice, call, arguments: given });
    }
  }

  #endText(index: Json | undefined, block: Extract<Block, { kind: 'text' }>, events: ChatEvent[]): void {
    for (const citation of block.citations) {
      const annotation = urlCitation(citation, block.start, this.#length);
      if (annotation !== undefined) events.push({ type: 'annotation', choice, annotation });
    }
    // Text boundaries matter to citations only, and also to citations of the next text.
    this.#vendor({ type: 'content_block_stop', index: index ?? null }, events);
  }

  #text(text: string, events: ChatEvent[]): void {
    if (text === '') return;
    this.#length += text.length;
    events.push({ type: 'text-delta', choice, text });
  }

  #think(text: string, events: ChatEvent[]): void {
    if (text !== '') events.push({ type: 'reasoning-delta', choice, text });
  }

  #vendor(event: JsonObject, events: ChatEvent[]): void {
    events.push({ type: 'vendor', format: 'anthropic', choice, event });
  }
}

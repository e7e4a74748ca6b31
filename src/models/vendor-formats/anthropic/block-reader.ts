/** Reads the content blocks of one answer, whole or in deltas. Their indexes are Anthropic's; calls of tools are numbered apart. */
import { randomUUID } from 'node:crypto';
import type { ChatEvent } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { invalidAnswer } from '../../answer-json.ts';
import { isProgrammaticCall } from '../../conversation/claude-calls.ts';
import { urlCitation } from './citations.ts';

type Block =
  | { readonly kind: 'text'; readonly start: number; readonly citations: JsonObject[] }
  | { readonly kind: 'thinking'; text: string; signature: string }
  | { readonly kind: 'tool'; readonly call: number; readonly input: Json | undefined; said: boolean }
  /** A call that code at the vendor made, which may have its result already. */
  | { readonly kind: 'programmatic'; readonly name: string; readonly id: string; readonly input: Json | undefined; text: string }
  /** What only Anthropic has: its own tools and their results. */
  | { readonly kind: 'vendor' }
  | { readonly kind: 'complete' };

const choice = 0;
/** Members of a call that have a place of their own in an event. */
const ofCalls: ReadonlySet<string> = new Set(['type', 'id', 'name', 'input']);

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

export class BlockReader {
  readonly #open = new Map<Json | undefined, Block>();
  readonly #ids = new Set<string>();
  /** Calls of code at the vendor without a result so far, in their order. */
  readonly #pending = new Map<string, Extract<Block, { kind: 'programmatic' }>>();
  #calls = 0;
  /** Characters of text so far. */
  #length = 0;
  #any = false;

  /** Something was said. */
  get any(): boolean {
    return this.#any;
  }

  get calledTools(): boolean {
    return this.#calls > 0;
  }

  /** A block of a whole answer. */
  read(index: number, block: JsonObject, events: ChatEvent[]): void {
    this.start(index, block, events);
    this.stop(index, events);
  }

  /** Begins a block with what of it is there already. */
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
        // Who called it, for one: only a client of the same format knows such a thing, and has to send it back.
        if (Object.keys(block).some((key) => !ofCalls.has(key)))
          this.#vendor({ type: 'content_block_start', index: index ?? null, content_block: block }, events);
        const call = this.#calls++;
        events.push({ type: 'tool-call-start', choice, call, id: this.#idFor(block['id']), name });
        return { kind: 'tool', call, input: block['input'], said: false };
      }
      default:
        // A result: that call is not left to the caller.
        this.#pending.delete(textOf(block['tool_use_id']));
        this.#vendor({ type: 'content_block_start', index: index ?? null, content_block: block }, events);
        return { kind: 'vendor' };
    }
  }

  /** Passes on as it is to a client of the same format; whether it is a call of the caller's shows at the end. */
  #programmatic(index: Json | undefined, block: JsonObject, name: string, events: ChatEvent[]): Block {
    this.#vendor({ type: 'content_block_start', index: index ?? null, content_block: block }, events);
    const id = this.#idFor(block['id']);
    const call: Extract<Block, { kind: 'programmatic' }> = { kind: 'programmatic', name, id, input: block['input'], text: '' };
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
        block.said = true;
        events.push({ type: 'tool-call-delta', choice, call: block.call, arguments: text });
        break;
      }
      // Newer kinds of deltas say what this format does not know.
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
      // Whole from the start, as in an answer that is not streamed.
      if (block.said || !isJsonObject(block.input) || Object.keys(block.input).length === 0) return;
      events.push({ type: 'tool-call-delta', choice, call: block.call, arguments: JSON.stringify(block.input) });
    } else if (block.kind === 'text') this.#endText(index, block, events);
    else if (block.kind === 'vendor' || block.kind === 'programmatic')
      this.#vendor({ type: 'content_block_stop', index: index ?? null }, events);
  }

  /** The answer is over. `calling`: it ended because the caller is to run tools. */
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
    // Where one text ends and the next begins matters to citations alone, but to those of the next text as well.
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

  #idFor(given: Json | undefined): string {
    const usable = typeof given === 'string' && given !== '' && !this.#ids.has(given);
    const id = usable ? given : `call_${randomUUID().replaceAll('-', '')}`;
    this.#ids.add(id);
    return id;
  }
}

/** Reads one Anthropic message, whole or as the events of a stream. */
import type { ChatEvent, Usage } from '../../../types/chat.ts';
import { GatewayError } from '../../../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { Reading, StreamProgress } from '../../../types/wire-format.ts';
import { invalidAnswer } from '../../answer-json.ts';
import { FinishTracker } from '../../finish-tracker.ts';
import { BlockReader } from './block-reader.ts';
import { readError } from './errors.ts';
import { mergeUsage, readUsage } from './usage.ts';

/** The vendor paused to compact the conversation, as the caller requested. The text so far is complete. */
const ends: NonNullable<Reading['finishReasons']> = { compaction: 'stop' };

/** Members of a message, or of a stream's last event, that are read elsewhere. All others are details of the finish. */
const readElsewhere: ReadonlySet<string> = new Set(['id', 'type', 'role', 'model', 'content', 'stop_reason', 'usage', 'delta']);

function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export class AnswerReader {
  /** True after `response-end` was emitted; nothing may follow. */
  ended = false;
  #started = false;
  #id: string | undefined;
  #detail: JsonObject = {};
  #usage: JsonObject | null = null;
  readonly #blocks = new BlockReader();
  readonly #finishes: FinishTracker;
  readonly #reading: Reading | undefined;

  constructor(reading?: Reading) {
    this.#reading = reading;
    this.#finishes = new FinishTracker(reading, ends, reading?.clientFormat === 'anthropic' ? 'stop' : undefined);
  }

  get usage(): Usage | null {
    return readUsage(this.#usage);
  }

  get progress(): StreamProgress {
    return this.#finishes.progress;
  }

  /** Reads a whole message. Throws the vendor's error when `answer` is one. */
  readWhole(answer: JsonObject, events: ChatEvent[]): void {
    this.#throwIfError(answer);
    if (!Array.isArray(answer['content'])) throw invalidAnswer('an answer without any content', JSON.stringify(answer));
    this.#begin(answer, events);
    (answer['content'] as readonly Json[]).forEach((block, index) => {
      if (isJsonObject(block)) this.#blocks.read(index, block, events);
    });
    if (this.#blocks.any) this.#finishes.content(0);
    this.#readStop(answer);
    // Without a stop reason, the counts of a whole answer show that it is complete.
    this.end(readUsage(this.#usage) === null ? 'closed' : 'done', events);
  }

  /** Reads one event of a stream. Events of unknown types are ignored. */
  read(event: JsonObject, events: ChatEvent[]): void {
    this.#throwIfError(event);
    const { index, message, delta, content_block: block } = event;
    const before = events.length;
    switch (event['type']) {
      case 'message_start':
        if (isJsonObject(message)) this.#begin(message, events);
        return;
      case 'content_block_start':
        if (!isJsonObject(block)) return;
        this.#blocks.start(index, block, events);
        this.#finishes.content(0);
        return;
      case 'content_block_delta':
        if (isJsonObject(delta)) this.#blocks.delta(index, delta, events);
        if (events.length > before) this.#finishes.content(0);
        return;
      case 'content_block_stop':
        this.#blocks.stop(index, events);
        return;
      case 'message_delta':
        this.#usage = mergeUsage(this.#usage, event['usage']);
        if (isJsonObject(delta)) this.#readStop({ ...event, ...delta });
        return;
      case 'message_stop':
        this.end('done', events);
        break;
      default:
    }
  }

  #throwIfError(answer: JsonObject): void {
    const error = readError(answer, this.#reading);
    if (error !== undefined) throw error;
  }

  #begin(message: JsonObject, events: ChatEvent[]): void {
    const id = text(message['id']);
    if (this.#started && id !== this.#id && this.#blocks.any) {
      throw new GatewayError('upstream_interrupted', 'The vendor broke off and began another answer. What you received is incomplete.', {
        details: { first: this.#id?.slice(0, 100), second: id?.slice(0, 100) },
      });
    }
    this.#usage = mergeUsage(this.#usage, message['usage']);
    if (this.#started) return;
    this.#started = true;
    this.#finishes.begin(0);
    this.#id = id;
    const model = text(message['model']);
    events.push({ type: 'response-start', ...(id === undefined ? {} : { id }), ...(model === undefined ? {} : { model }) });
  }

  /** Stores the stop reason and its details. In a stream the counts come with it. */
  #readStop(source: JsonObject): void {
    const reason = text(source['stop_reason']);
    if (reason === undefined) return;
    const detail = Object.entries(source).filter(([key, value]) => value !== null && value !== undefined && !readElsewhere.has(key));
    this.#detail = Object.fromEntries(detail);
    this.#finishes.finish(0, reason);
    if (isJsonObject(source['usage'])) this.#finishes.counted(true);
  }

  /** Ends the answer. Throws `upstream_interrupted` unless it is complete. */
  end(how: 'closed' | 'done', events: ChatEvent[]): void {
    if (this.ended) return;
    if (!this.#started) throw invalidAnswer('an answer without any content');
    for (const { reason: mapped, ...source } of this.#finishes.end(how).values()) {
      this.#blocks.end(events, mapped === 'tool_calls');
      const called = this.#blocks.calledTools;
      const reason = mapped === 'stop' && called ? 'tool_calls' : mapped === 'tool_calls' && !called ? 'stop' : mapped;
      const more = Object.keys(this.#detail).length === 0 ? {} : { detail: this.#detail };
      events.push({ type: 'finish', choice: 0, reason, ...source, ...more });
    }
    this.ended = true;
    events.push({ type: 'response-end', usage: readUsage(this.#usage) });
  }
}

/** Reads one message of Anthropic, whole or as the events of a stream. */
import type { ChatEvent } from '../../../types/chat.ts';
import { GatewayError } from '../../../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { Reading } from '../../../types/wire-format.ts';
import { interruptedAnswer, invalidAnswer } from '../../answer-json.ts';
import { mapFinishReason } from '../../finish-reasons.ts';
import { BlockReader } from './block-reader.ts';
import { readError } from './errors.ts';
import { mergeUsage, readUsage } from './usage.ts';

/** The vendor paused to shorten the conversation, as the caller wished; what was said so far is whole. */
const ends: NonNullable<Reading['finishReasons']> = { compaction: 'stop' };

/** Members of a message, or of the last event of a stream, that are told otherwise; all others are details of the end. */
const elsewhere: ReadonlySet<string> = new Set(['id', 'type', 'role', 'model', 'content', 'stop_reason', 'usage', 'delta']);

interface Stop {
  readonly reason: string;
  readonly detail: JsonObject;
}

function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export class AnswerReader {
  /** True once `response-end` was said; nothing may follow. */
  ended = false;
  #started = false;
  #id: string | undefined;
  #stop: Stop | null = null;
  #usage: JsonObject | null = null;
  readonly #blocks = new BlockReader();
  readonly #reading: Reading | undefined;

  constructor(reading?: Reading) {
    this.#reading = reading;
  }

  /** A whole message. Throws the vendor's error if `answer` is one. */
  readWhole(answer: JsonObject, events: ChatEvent[]): void {
    this.#refuseError(answer);
    if (!Array.isArray(answer['content'])) throw invalidAnswer('an answer without any content', JSON.stringify(answer));
    this.#begin(answer, events);
    (answer['content'] as readonly Json[]).forEach((block, index) => {
      if (isJsonObject(block)) this.#blocks.read(index, block, events);
    });
    this.#note(answer);
    this.end(events);
  }

  /** One event of a stream. Those of an unknown type say nothing that this format knows. */
  read(event: JsonObject, events: ChatEvent[]): void {
    this.#refuseError(event);
    const { index, message, delta, content_block: block } = event;
    switch (event['type']) {
      case 'message_start':
        if (isJsonObject(message)) this.#begin(message, events);
        return;
      case 'content_block_start':
        if (isJsonObject(block)) this.#blocks.start(index, block, events);
        return;
      case 'content_block_delta':
        if (isJsonObject(delta)) this.#blocks.delta(index, delta, events);
        return;
      case 'content_block_stop':
        this.#blocks.stop(index, events);
        return;
      case 'message_delta':
        this.#usage = mergeUsage(this.#usage, event['usage']);
        if (isJsonObject(delta)) this.#note({ ...event, ...delta });
        return;
      case 'message_stop':
        this.end(events);
        break;
      default:
    }
  }

  #refuseError(answer: JsonObject): void {
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
    this.#id = id;
    const model = text(message['model']);
    events.push({ type: 'response-start', ...(id === undefined ? {} : { id }), ...(model === undefined ? {} : { model }) });
  }

  /** Why the answer ended, and what else is said of that. */
  #note(said: JsonObject): void {
    const reason = text(said['stop_reason']);
    if (reason === undefined) return;
    const detail = Object.entries(said).filter(([key, value]) => value !== null && value !== undefined && !elsewhere.has(key));
    this.#stop = { reason, detail: Object.fromEntries(detail) };
  }

  /** The answer is over. Throws `upstream_interrupted` unless the vendor said why. */
  end(events: ChatEvent[]): void {
    if (this.ended) return;
    if (!this.#started) throw invalidAnswer('an answer without any content');
    if (this.#stop === null) throw interruptedAnswer();
    const { reason: raw, detail } = this.#stop;
    const mapped = mapFinishReason(raw, { ...ends, ...this.#reading?.finishReasons });
    this.#blocks.end(events);
    const called = this.#blocks.calledTools;
    const reason = mapped === 'stop' && called ? 'tool_calls' : mapped === 'tool_calls' && !called ? 'stop' : mapped;
    const more = Object.keys(detail).length === 0 ? {} : { detail };
    events.push({ type: 'finish', choice: 0, reason, raw, ...more });
    this.ended = true;
    events.push({ type: 'response-end', usage: readUsage(this.#usage) });
  }
}

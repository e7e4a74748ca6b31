/** Reads one answer of Converse, whole or as the frames of a stream. */
import type { ChatEvent, Usage } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { Reading } from '../../../types/wire-format.ts';
import { interruptedAnswer, invalidAnswer } from '../../answer-json.ts';
import { errorInside } from '../../classify-failure.ts';
import { mapFinishReason } from '../../finish-reasons.ts';
import { BlockReader } from './block-reader.ts';
import { readException } from './errors.ts';
import type { Frame } from './frames.ts';
import { readUsage } from './usage.ts';

const ends: NonNullable<Reading['finishReasons']> = {
  malformed_model_output: 'failure',
  malformed_tool_use: 'failure',
};

export class AnswerReader {
  /** True once `response-end` was said; nothing may follow. */
  ended = false;
  #started = false;
  #stop: string | undefined;
  #counted = false;
  #usage: Usage | null = null;
  readonly #blocks = new BlockReader();
  readonly #reading: Reading | undefined;

  constructor(reading?: Reading) {
    this.#reading = reading;
  }

  /** A whole answer. Throws the vendor's error if it is one. */
  readWhole(answer: JsonObject, events: ChatEvent[]): void {
    const { output, stopReason, usage } = answer;
    const message = isJsonObject(output) ? output['message'] : undefined;
    if (!isJsonObject(message)) {
      throw errorInside(answer, this.#reading?.errorCodes) ?? invalidAnswer('an answer without any content', JSON.stringify(answer));
    }
    this.#start(events);
    const content = Array.isArray(message['content']) ? (message['content'] as readonly Json[]) : [];
    content.forEach((block, index) => {
      if (isJsonObject(block)) this.#blocks.read(index, block, events);
    });
    if (typeof stopReason === 'string' && stopReason !== '') this.#stop = stopReason;
    this.#usage = readUsage(usage);
    this.end(events);
  }

  /** One frame of a stream. Those of an unknown type say nothing that this format knows. */
  read({ kind, type, body }: Frame, events: ChatEvent[]): void {
    if (kind === 'exception') throw readException(type, body, this.#reading);
    const { contentBlockIndex: index, start, delta, stopReason, usage } = body;
    if (type !== 'metadata') this.#start(events);
    switch (type) {
      case 'contentBlockStart':
        if (isJsonObject(start)) this.#blocks.start(index, start, events);
        return;
      case 'contentBlockDelta':
        if (isJsonObject(delta)) this.#blocks.delta(index, delta, events);
        return;
      case 'contentBlockStop':
        this.#blocks.stop(index, events);
        return;
      case 'messageStop':
        if (typeof stopReason === 'string' && stopReason !== '') this.#stop = stopReason;
        // The counts come after this as a rule, before it at times.
        if (this.#counted) this.end(events);
        return;
      case 'metadata':
        this.#usage = readUsage(usage) ?? this.#usage;
        this.#counted = this.#usage !== null;
        if (this.#stop !== undefined) this.end(events);
        break;
      default:
    }
  }

  #start(events: ChatEvent[]): void {
    if (this.#started) return;
    this.#started = true;
    // Neither an id nor a model is said.
    events.push({ type: 'response-start' });
  }

  /** The answer is over. Throws `upstream_interrupted` unless the vendor said why. */
  end(events: ChatEvent[]): void {
    if (this.ended) return;
    if (!this.#started) throw invalidAnswer('an answer without any content');
    if (this.#stop === undefined) throw interruptedAnswer();
    const mapped = mapFinishReason(this.#stop, { ...ends, ...this.#reading?.finishReasons });
    this.#blocks.end(events);
    const called = this.#blocks.calledTools;
    const reason = mapped === 'stop' && called ? 'tool_calls' : mapped === 'tool_calls' && !called ? 'stop' : mapped;
    events.push({ type: 'finish', choice: 0, reason, raw: this.#stop });
    this.ended = true;
    events.push({ type: 'response-end', usage: this.#usage });
  }
}

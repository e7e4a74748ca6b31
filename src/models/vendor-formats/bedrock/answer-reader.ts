/** Reads one answer of Converse, whole or as the frames of a stream. */
import type { ChatEvent, Usage } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { Reading, StreamProgress } from '../../../types/wire-format.ts';
import { invalidAnswer } from '../../answer-json.ts';
import { errorInside } from '../../classify-failure.ts';
import { FinishTracker } from '../../finish-tracker.ts';
import { BlockReader } from './block-reader.ts';
import { readException } from './errors.ts';
import type { Frame } from './frames.ts';
import { readUsage } from './usage.ts';

const ends: NonNullable<Reading['finishReasons']> = {
  malformed_model_output: 'failure',
  malformed_tool_use: 'failure',
};

export class AnswerReader {
  /** True after `response-end` was emitted; nothing may follow. */
  ended = false;
  #started = false;
  #stopped = false;
  #usage: Usage | null = null;
  readonly #blocks = new BlockReader();
  readonly #finishes: FinishTracker;
  readonly #reading: Reading | undefined;

  constructor(reading?: Reading) {
    this.#reading = reading;
    this.#finishes = new FinishTracker(reading, ends);
  }

  get usage(): Usage | null {
    return this.#usage;
  }

  get progress(): StreamProgress {
    return this.#finishes.progress;
  }

  /** Reads a whole answer. Throws the vendor's error when it is one. */
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
    if (content.length > 0) this.#finishes.content(0);
    if (typeof stopReason === 'string') this.#finishes.finish(0, stopReason);
    this.#usage = readUsage(usage);
    // Without a stop reason, the counts of a whole answer show that it is complete.
    this.end(this.#usage === null ? 'closed' : 'done', events);
  }

  /** Reads one frame of a stream. Frames of unknown types are ignored. */
  read({ kind, type, body }: Frame, events: ChatEvent[]): void {
    if (kind === 'exception') throw readException(type, body, this.#reading);
    const { contentBlockIndex: index, start, delta, stopReason, usage } = body;
    if (type !== 'metadata') this.#start(events);
    switch (type) {
      case 'contentBlockStart':
        this.#finishes.content(0);
        if (isJsonObject(start)) this.#blocks.start(index, start, events);
        return;
      case 'contentBlockDelta':
        this.#finishes.content(0);
        if (isJsonObject(delta)) this.#blocks.delta(index, delta, events);
        return;
      case 'contentBlockStop':
        this.#blocks.stop(index, events);
        return;
      case 'messageStop':
        if (typeof stopReason === 'string') this.#finishes.finish(0, stopReason);
        this.#stopped = true;
        // The counts usually come after this event, and sometimes before it.
        if (this.#usage !== null) this.end('done', events);
        return;
      case 'metadata':
        this.#usage = readUsage(usage) ?? this.#usage;
        if (this.#stopped) this.end('done', events);
        break;
      default:
    }
  }

  #start(events: ChatEvent[]): void {
    if (this.#started) return;
    this.#started = true;
    this.#finishes.begin(0);
    // Converse sends neither an id nor a model.
    events.push({ type: 'response-start' });
  }

  /** Ends the answer. Throws `upstream_interrupted` unless it is complete. */
  end(how: 'closed' | 'done', events: ChatEvent[]): void {
    if (this.ended) return;
    if (!this.#started) throw invalidAnswer('an answer without any content');
    for (const { reason, ...more } of this.#finishes.end(how).values()) {
      this.#blocks.end(events);
      const called = this.#blocks.calledTools;
      const correctedReason = reason === 'stop' && called ? 'tool_calls' : reason === 'tool_calls' && !called ? 'stop' : reason;
      events.push({ type: 'finish', choice: 0, reason: correctedReason, ...more });
    }
    this.ended = true;
    events.push({ type: 'response-end', usage: this.#usage });
  }
}

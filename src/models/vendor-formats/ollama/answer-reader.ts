/** Reads the lines of one Ollama answer into events. A whole answer is one line. */
import type { ChatEvent, Usage } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { Reading, StreamProgress } from '../../../types/wire-format.ts';
import { readImages } from '../../answer-images.ts';
import { invalidAnswer } from '../../answer-json.ts';
import { CallIds } from '../../call-ids.ts';
import { errorInside } from '../../classify-failure.ts';
import { FinishTracker } from '../../finish-tracker.ts';
import { uncountedSide } from '../../usage-counts.ts';
import { readLogprobs } from '../openai/content.ts';

function count(value: Json | undefined): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** A prompt that was cached has no count. */
export function readUsage(line: JsonObject): Usage | null {
  const inputTokens = count(line['prompt_eval_count']);
  const outputTokens = count(line['eval_count']);
  if (inputTokens === undefined && outputTokens === undefined) return null;
  return { inputTokens: inputTokens ?? 0, outputTokens: outputTokens ?? 0, ...uncountedSide(inputTokens, outputTokens) };
}

/** A model that was only loaded or unloaded has no content. */
const ends: NonNullable<Reading['finishReasons']> = { load: 'stop', unload: 'stop' };

export class AnswerReader {
  /** True after `response-end` was emitted; nothing may follow. */
  ended = false;
  #started = false;
  #usage: Usage | null = null;
  #calls = 0;
  readonly #ids = new CallIds();
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

  /** Throws the vendor's error when `line` is one. */
  read(line: JsonObject, events: ChatEvent[]): void {
    const error = errorInside(line, this.#reading?.errorCodes);
    if (error !== undefined) throw error;
    if (!this.#started) {
      this.#started = true;
      const model = line['model'];
      events.push({ type: 'response-start', ...(typeof model === 'string' && model !== '' ? { model } : {}) });
    }
    const before = events.length;
    const message = line['message'];
    if (isJsonObject(message)) this.#readMessage(message, line, events);
    if (events.length > before) this.#finishes.content(0);
    this.#usage = readUsage(line) ?? this.#usage;
    if (line['done'] === true) this.#finish(line, events);
  }

  #readMessage(message: JsonObject, line: JsonObject, events: ChatEvent[]): void {
    const thinking = message['thinking'];
    if (typeof thinking === 'string' && thinking !== '') events.push({ type: 'reasoning-delta', choice: 0, text: thinking });
    const text = typeof message['content'] === 'string' ? message['content'] : '';
    const logprobs = Array.isArray(line['logprobs']) ? readLogprobs({ content: line['logprobs'] }) : undefined;
    if (text !== '' || logprobs !== undefined)
      events.push({ type: 'text-delta', choice: 0, text, ...(logprobs === undefined ? {} : { logprobs }) });
    readImages(message, 0, events);
    const calls = message['tool_calls'];
    if (Array.isArray(calls)) for (const call of calls as readonly Json[]) this.#readCall(call, events);
  }

  /** A call arrives complete, in one line. */
  #readCall(call: Json, events: ChatEvent[]): void {
    const body = isJsonObject(call) ? call['function'] : undefined;
    if (!isJsonObject(call) || !isJsonObject(body) || typeof body['name'] !== 'string' || body['name'] === '')
      throw invalidAnswer('a tool call without a name');
    const id = this.#ids.take(call['id']);
    const number = this.#calls++;
    const written = body['arguments'];
    const text = typeof written === 'string' && written !== '' ? written : JSON.stringify(isJsonObject(written) ? written : {});
    events.push({ type: 'tool-call-start', choice: 0, call: number, id, name: body['name'] });
    events.push({ type: 'tool-call-delta', choice: 0, call: number, arguments: text });
  }

  /** The last line: the finish reason and the counts. */
  #finish(line: JsonObject, events: ChatEvent[]): void {
    const given = line['done_reason'];
    // Older servers send only `done`.
    this.#finishes.finish(0, typeof given === 'string' && given !== '' ? given : 'stop');
    this.end('done', events);
  }

  /** Ends a whole answer: without `done`, its counts show that it is complete. */
  endWhole(events: ChatEvent[]): void {
    this.end(this.#usage === null ? 'closed' : 'done', events);
  }

  /** Ends the answer. Throws `upstream_interrupted` unless Ollama sent `done`. */
  end(how: 'closed' | 'done', events: ChatEvent[]): void {
    if (this.ended) return;
    if (!this.#started) throw invalidAnswer('an answer without any content');
    this.#finishes.begin(0);
    for (const { reason, ...more } of this.#finishes.end(how).values())
      events.push({ type: 'finish', choice: 0, reason: reason === 'stop' && this.#calls > 0 ? 'tool_calls' : reason, ...more });
    this.ended = true;
    events.push({ type: 'response-end', usage: this.#usage });
  }
}

/** Reads the lines of one answer of Ollama into events; a whole answer is one line. */
import { randomUUID } from 'node:crypto';
import type { ChatEvent, Usage } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { Reading } from '../../../types/wire-format.ts';
import { interruptedAnswer, invalidAnswer } from '../../answer-json.ts';
import { errorInside } from '../../classify-failure.ts';
import { mapFinishReason } from '../../finish-reasons.ts';
import { readLogprobs } from '../openai/content.ts';

function count(value: Json | undefined): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** Null where a count is missing, as that of a prompt that was cached is: half of the truth would be booked as all of it. */
function readUsage(line: JsonObject): Usage | null {
  const inputTokens = count(line['prompt_eval_count']);
  const outputTokens = count(line['eval_count']);
  return inputTokens === undefined || outputTokens === undefined ? null : { inputTokens, outputTokens };
}

export class AnswerReader {
  /** True once `response-end` was said; nothing may follow. */
  ended = false;
  #started = false;
  #calls = 0;
  readonly #ids = new Set<string>();
  readonly #reading: Reading | undefined;

  constructor(reading?: Reading) {
    this.#reading = reading;
  }

  /** Throws the vendor's error if `line` is one. */
  read(line: JsonObject, events: ChatEvent[]): void {
    const error = errorInside(line, this.#reading?.errorCodes);
    if (error !== undefined) throw error;
    if (!this.#started) {
      this.#started = true;
      const model = line['model'];
      events.push({ type: 'response-start', ...(typeof model === 'string' && model !== '' ? { model } : {}) });
    }
    const message = line['message'];
    if (isJsonObject(message)) this.#readMessage(message, line, events);
    if (line['done'] === true) this.#finish(line, events);
  }

  #readMessage(message: JsonObject, line: JsonObject, events: ChatEvent[]): void {
    const thinking = message['thinking'];
    if (typeof thinking === 'string' && thinking !== '') events.push({ type: 'reasoning-delta', choice: 0, text: thinking });
    const text = typeof message['content'] === 'string' ? message['content'] : '';
    const logprobs = Array.isArray(line['logprobs']) ? readLogprobs({ content: line['logprobs'] }) : undefined;
    if (text !== '' || logprobs !== undefined)
      events.push({ type: 'text-delta', choice: 0, text, ...(logprobs === undefined ? {} : { logprobs }) });
    const calls = message['tool_calls'];
    if (Array.isArray(calls)) for (const call of calls as readonly Json[]) this.#readCall(call, events);
  }

  /** A call comes whole, in one line. */
  #readCall(call: Json, events: ChatEvent[]): void {
    const body = isJsonObject(call) ? call['function'] : undefined;
    if (!isJsonObject(call) || !isJsonObject(body) || typeof body['name'] !== 'string' || body['name'] === '')
      throw invalidAnswer('a tool call without a name');
    const given = call['id'];
    const id = typeof given === 'string' && given !== '' && !this.#ids.has(given) ? given : `call_${randomUUID().replaceAll('-', '')}`;
    this.#ids.add(id);
    const number = this.#calls++;
    const written = body['arguments'];
    const text = typeof written === 'string' && written !== '' ? written : JSON.stringify(isJsonObject(written) ? written : {});
    events.push({ type: 'tool-call-start', choice: 0, call: number, id, name: body['name'] });
    events.push({ type: 'tool-call-delta', choice: 0, call: number, arguments: text });
  }

  #finish(line: JsonObject, events: ChatEvent[]): void {
    const given = line['done_reason'];
    // Older servers say no more than that the answer is done.
    const raw = typeof given === 'string' && given !== '' ? given : 'stop';
    const mapped = mapFinishReason(raw, this.#reading?.finishReasons);
    events.push({ type: 'finish', choice: 0, reason: mapped === 'stop' && this.#calls > 0 ? 'tool_calls' : mapped, raw });
    events.push({ type: 'response-end', usage: readUsage(line) });
    this.ended = true;
  }

  /** The body is over. Throws `upstream_interrupted` unless Ollama said that it is done. */
  end(): void {
    if (this.ended) return;
    throw this.#started ? interruptedAnswer() : invalidAnswer('an answer without any content');
  }
}

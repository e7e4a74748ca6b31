/** Reads the parts of one DashScope answer, or a whole answer as one part, into events. */
import type { ChatEvent, Usage } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { Reading, StreamProgress } from '../../../types/wire-format.ts';
import { readImage } from '../../answer-images.ts';
import { invalidAnswer } from '../../answer-json.ts';
import { CitationReader } from '../../citations.ts';
import { FinishTracker } from '../../finish-tracker.ts';
import { readLogprobs } from '../openai/content.ts';
import { judgeUnread } from '../openai/unread-content.ts';
import { ToolCallReader } from '../openai/tool-calls.ts';
import { errorIn } from './errors.ts';
import { Repetition } from './repetition.ts';
import { readUsage } from './usage.ts';

interface ChoiceState {
  readonly text: Repetition;
  readonly reasoning: Repetition;
  readonly calls: ToolCallReader;
  /** Arguments by tool call, keyed by index or id. */
  readonly arguments: Map<string, { readonly text: Repetition; readonly call: JsonObject }>;
  /** All text so far, for the positions of citations. */
  fullText: string;
  /** Pictures that were already emitted: an answer with repeated text repeats its pictures too. */
  readonly images: Set<string>;
  /** Kinds of parts that cannot be read. */
  readonly unread: Set<string>;
}

/** The content of multimodal models is a list of parts. */
function textIn(content: Json | undefined): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part: Json) => (isJsonObject(part) && typeof part['text'] === 'string' ? part['text'] : textIn(part))).join('');
}

/** The pictures among the parts, in the form `{ image: <address> }`. */
function imagesIn(content: Json | undefined): readonly string[] {
  if (!Array.isArray(content)) return [];
  return content.flatMap((part: Json) => (isJsonObject(part) && typeof part['image'] === 'string' ? [part['image']] : []));
}

/** The kinds of parts that have no reader, such as `{ video: <address> }`. */
function unreadIn(content: Json | undefined): readonly string[] {
  if (!Array.isArray(content)) return [];
  return content.flatMap((part: Json) =>
    isJsonObject(part) ? Object.keys(part).filter((name) => name === 'video' || name === 'audio' || name === 'file') : [],
  );
}

/** The choices of an answer. The older form has one text directly in the output. */
function choicesIn(output: JsonObject): readonly Json[] {
  if (Array.isArray(output['choices'])) return output['choices'] as readonly Json[];
  if (typeof output['text'] !== 'string') return [];
  return [{ message: { content: output['text'] }, finish_reason: output['finish_reason'] ?? null }];
}

export class AnswerReader {
  /** True after `response-end` was emitted; nothing may follow. */
  ended = false;
  #started = false;
  #usage: Usage | null = null;
  readonly #choices = new Map<number, ChoiceState>();
  readonly #finishes: FinishTracker;
  readonly #reading: Reading | undefined;
  readonly #citations: CitationReader;

  constructor(reading?: Reading) {
    this.#reading = reading;
    this.#citations = new CitationReader(reading?.citations);
    this.#finishes = new FinishTracker(reading);
  }

  get usage(): Usage | null {
    return this.#usage;
  }

  get progress(): StreamProgress {
    return this.#finishes.progress;
  }

  /** Throws the vendor's error when `answer` is one. */
  read(answer: JsonObject, events: ChatEvent[]): void {
    const error = errorIn(answer, this.#reading);
    if (error !== undefined) throw error;
    this.#usage = readUsage(answer) ?? this.#usage;
    this.#citations.read(answer);
    const output = answer['output'];
    if (!isJsonObject(output)) return;
    if (!this.#started) {
      this.#started = true;
      const id = answer['request_id'];
      events.push({ type: 'response-start', ...(typeof id === 'string' && id !== '' ? { id } : {}) });
    }
    choicesIn(output).forEach((choice, position) => {
      if (isJsonObject(choice)) this.#readChoice(choice, position, events);
    });
  }

  #readChoice(choice: JsonObject, position: number, events: ChatEvent[]): void {
    const given = choice['index'];
    const index = typeof given === 'number' && Number.isSafeInteger(given) && given >= 0 ? given : position;
    let state = this.#choices.get(index);
    if (state === undefined) {
      state = {
        text: new Repetition(),
        reasoning: new Repetition(),
        calls: new ToolCallReader(index),
        arguments: new Map(),
        fullText: '',
        images: new Set(),
        unread: new Set(),
      };
      this.#choices.set(index, state);
      this.#finishes.begin(index);
    }
    const before = events.length;
    const message = choice['message'];
    if (isJsonObject(message)) this.#readMessage(message, choice, index, state, events);
    if (events.length > before) this.#finishes.content(index);
    const reason = choice['finish_reason'];
    // While the answer continues, DashScope sends "null" as a text.
    if (typeof reason === 'string') this.#finishes.finish(index, reason);
  }

  #readMessage(message: JsonObject, choice: JsonObject, index: number, state: ChoiceState, events: ChatEvent[]): void {
    const thought = message['reasoning_content'];
    for (const text of state.reasoning.take(typeof thought === 'string' ? thought : ''))
      events.push({ type: 'reasoning-delta', choice: index, text });
    const texts = state.text.take(textIn(message['content']));
    state.fullText += texts.join('');
    const logprobs = readLogprobs(choice['logprobs']);
    if (logprobs !== undefined) events.push({ type: 'text-delta', choice: index, text: texts.join(''), logprobs });
    else for (const text of texts) events.push({ type: 'text-delta', choice: index, text });
    for (const image of imagesIn(message['content'])) {
      if (!state.images.has(image)) readImage(image, index, events);
      state.images.add(image);
    }
    for (const name of unreadIn(message['content'])) state.unread.add(`content[].${name}`);
    const calls = message['tool_calls'];
    if (!Array.isArray(calls)) return;
    calls.forEach((call: Json, position) => {
      if (isJsonObject(call)) this.#readCall(call, position, state, events);
    });
  }

  #readCall(call: JsonObject, position: number, state: ChoiceState, events: ChatEvent[]): void {
    const body = isJsonObject(call['function']) ? call['function'] : {};
    const given = typeof body['arguments'] === 'string' ? body['arguments'] : '';
    const index = typeof call['index'] === 'number' ? call['index'] : position;
    const key = String(index);
    let known = state.arguments.get(key);
    if (known === undefined) {
      known = { text: new Repetition(), call: { index } };
      state.arguments.set(key, known);
    }
    state.calls.read({ ...call, index, function: { ...body, arguments: known.text.take(given).join('') } }, events);
  }

  /** Emits the content that was held until the streaming mode was known. */
  #flush(index: number, state: ChoiceState, events: ChatEvent[]): void {
    for (const text of state.reasoning.end()) events.push({ type: 'reasoning-delta', choice: index, text });
    const last = state.text.end();
    for (const text of last) events.push({ type: 'text-delta', choice: index, text });
    state.fullText += last.join('');
    for (const annotation of this.#citations.annotations(state.fullText)) events.push({ type: 'annotation', choice: index, annotation });
    for (const { text: rest, call } of state.arguments.values()) {
      const heldArguments = rest.end().join('');
      if (heldArguments !== '') state.calls.read({ ...call, function: { arguments: heldArguments } }, events);
    }
    state.calls.finish();
  }

  /** Ends a whole answer: without a finish reason, its counts show that it is complete. */
  endWhole(events: ChatEvent[]): void {
    this.end(this.#usage === null ? 'closed' : 'done', events);
  }

  /** Ends the answer. Throws `upstream_interrupted` unless every choice is complete. */
  end(how: 'closed' | 'done', events: ChatEvent[]): void {
    if (this.#choices.size === 0) throw invalidAnswer('an answer without any content');
    for (const [choice, { reason, ...more }] of this.#finishes.end(how)) {
      const state = this.#choices.get(choice) as ChoiceState;
      this.#flush(choice, state, events);
      const warning = judgeUnread(state.unread, state.fullText !== '' || state.images.size > 0, this.#reading) ?? more.warning;
      events.push({
        type: 'finish',
        choice,
        reason: state.calls.correctReason(reason),
        ...more,
        ...(warning === undefined ? {} : { warning }),
      });
    }
    this.ended = true;
    events.push({ type: 'response-end', usage: this.#usage });
  }
}

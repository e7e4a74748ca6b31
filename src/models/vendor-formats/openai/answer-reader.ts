/** Reads the objects of one answer, stream chunks or a whole answer, into events. */
import type { ChatEvent, Usage } from '../../../types/chat.ts';
import { GatewayError } from '../../../types/errors.ts';
import type { Reading, StreamProgress } from '../../../types/wire-format.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { readImageParts, readImages } from '../../answer-images.ts';
import { invalidAnswer } from '../../answer-json.ts';
import { CitationReader, completeAnnotation } from '../../citations.ts';
import { errorInside } from '../../classify-failure.ts';
import { FinishTracker } from '../../finish-tracker.ts';
import { completeUsage } from './complete-usage.ts';
import { readLogprobs, readText } from './content.ts';
import { ReasoningDetails } from './reasoning-details.ts';
import { ThinkTagReader } from './think-tags.ts';
import { ToolCallReader } from './tool-calls.ts';
import { findUnreadContent, judgeUnread } from './unread-content.ts';
import { readUsage } from './usage.ts';

interface ChoiceState {
  readonly calls: ToolCallReader;
  said: boolean;
  /** Names of content that cannot be read. */
  unread: Set<string> | null;
  /** All text so far, for the positions of citations. */
  text: string;
  reasoning: string;
  /** The vendor's own annotations. */
  readonly annotations: JsonObject[];
  /** Set when the vendor sends `reasoning_details`. */
  details?: ReasoningDetails;
  /** Set when the vendor writes reasoning into the text. */
  readonly thinking?: ThinkTagReader;
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] };

function nonEmpty(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function thinkingOf(reading: Reading | undefined): Pick<ChoiceState, 'thinking'> {
  const thinkTags = reading?.thinkTags ?? false;
  return thinkTags === false ? {} : { thinking: new ThinkTagReader({ startsInside: thinkTags === 'unopened' }) };
}

export class AnswerReader {
  /** True after `response-end` was emitted; nothing may follow. */
  ended = false;
  #started = false;
  #usage: Usage | null = null;
  /** The part of the answer that has the latest counts. */
  #counted: JsonObject | null = null;
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

  /** Throws the vendor's error when `answer` has one. */
  read(answer: JsonObject, events: ChatEvent[]): void {
    const error = errorInside(answer, this.#reading?.errorCodes);
    if (error !== undefined) throw error;
    const choices = answer['choices'];
    const usage = readUsage(answer, { reading: this.#reading });
    if (usage !== null) {
      this.#usage = usage;
      this.#counted = answer;
    }
    this.#citations.read(answer);
    if (!Array.isArray(choices) || choices.length === 0) {
      // A part with counts alone is usually the last one. Other parts without choices, such as a ping, a notice or
      // Azure's first chunk, say nothing about the answer.
      if (usage !== null) this.#finishes.counted(true);
      return;
    }
    // Counts beside the very first part are running counts.
    const counted = usage !== null && this.#finishes.hasChoices;
    if (!this.#started) this.#start(answer, events);
    choices.forEach((choice: Json, position) => {
      if (isJsonObject(choice)) this.#readChoice(choice, position, events);
    });
    if (counted) this.#finishes.counted(false);
  }

  #start(answer: JsonObject, events: ChatEvent[]): void {
    this.#started = true;
    const id = nonEmpty(answer['id']);
    const model = nonEmpty(answer['model']);
    const fingerprint = answer['system_fingerprint'];
    const tier = answer['service_tier'];
    const start: Writable<Extract<ChatEvent, { type: 'response-start' }>> = { type: 'response-start' };
    if (id !== undefined) start.id = id;
    if (model !== undefined) start.model = model;
    if (typeof fingerprint === 'string' || typeof tier === 'string') {
      const extra: Record<string, Json> = {};
      if (typeof fingerprint === 'string') extra['system_fingerprint'] = fingerprint;
      if (typeof tier === 'string') extra['service_tier'] = tier;
      start.extra = extra;
    }
    events.push(start);
  }

  #readChoice(choice: JsonObject, position: number, events: ChatEvent[]): void {
    const given = choice['index'];
    const index = typeof given === 'number' && Number.isSafeInteger(given) && given >= 0 ? given : position;
    let state = this.#choices.get(index);
    if (state === undefined) {
      state = {
        calls: new ToolCallReader(index),
        said: false,
        unread: null,
        text: '',
        reasoning: '',
        annotations: [],
        ...thinkingOf(this.#reading),
      };
      this.#choices.set(index, state);
      this.#finishes.begin(index);
    }
    const delta = choice['delta'] ?? choice['message'];
    if (isJsonObject(delta)) {
      const said = this.#readDelta(delta, choice, index, state, events);
      if (said) {
        this.#finishes.content(index);
        state.said = true;
      }
      // Parts of a stream that are read hold nothing else, apart from lists of parts.
      if (!said || delta === choice['message'] || Array.isArray(delta['content'])) state.unread = findUnreadContent(delta, state.unread);
    }
    const reason = choice['finish_reason'];
    if (typeof reason === 'string') this.#finishes.finish(index, reason);
  }

  /** True when the delta has content. */
  #readDelta(delta: JsonObject, choice: JsonObject, index: number, state: ChoiceState, events: ChatEvent[]): boolean {
    const before = events.length;
    const details = delta['reasoning_details'];
    const detailed = Array.isArray(details) ? (state.details ??= new ReasoningDetails()).read(details as readonly Json[]) : '';
    const reasoning = nonEmpty(delta['reasoning_content']) ?? nonEmpty(delta['reasoning']) ?? nonEmpty(detailed);
    if (reasoning !== undefined) {
      events.push({ type: 'reasoning-delta', choice: index, text: reasoning });
      state.reasoning += reasoning;
      state.thinking?.separatedByVendor();
    }
    const logprobs = readLogprobs(choice['logprobs']);
    const content = delta['content'];
    const given = typeof content === 'string' ? content : readText(content, index, events);
    const parted = state.thinking?.push(given, (choice['delta'] ?? null) === null);
    if (parted !== undefined && parted.thought !== '') {
      events.push({ type: 'reasoning-delta', choice: index, text: parted.thought });
      state.reasoning += parted.thought;
    }
    const text = parted?.text ?? given;
    state.text += text;
    const refusal = nonEmpty(delta['refusal']);
    const onRefusal = refusal !== undefined && text === '';
    if (text !== '' || (logprobs !== undefined && !onRefusal)) {
      events.push(
        logprobs === undefined ? { type: 'text-delta', choice: index, text } : { type: 'text-delta', choice: index, text, logprobs },
      );
    }
    if (refusal !== undefined) {
      events.push({ type: 'refusal-delta', choice: index, text: refusal, ...(onRefusal && logprobs !== undefined ? { logprobs } : {}) });
    }
    const calls = delta['tool_calls'];
    if (Array.isArray(calls)) {
      // Each call of a whole message is separate, whatever its id.
      const isWhole = (choice['delta'] ?? null) === null;
      for (const [place, call] of (calls as readonly Json[]).entries())
        if (isJsonObject(call)) state.calls.read(isWhole ? { index: place, ...call } : call, events);
    }
    const legacy = delta['function_call'];
    if (isJsonObject(legacy)) state.calls.readLegacy(legacy, events);
    const audio = delta['audio'];
    if (isJsonObject(audio)) events.push({ type: 'audio-delta', choice: index, audio });
    readImages(delta, index, events);
    readImageParts(content, index, events);
    this.#citations.readMessage(delta);
    const annotations = delta['annotations'];
    if (Array.isArray(annotations)) {
      for (const cited of annotations as readonly Json[]) {
        const annotation = isJsonObject(cited) ? completeAnnotation(cited, state.text.length) : undefined;
        if (annotation === undefined) continue;
        state.annotations.push(annotation);
        events.push({ type: 'annotation', choice: index, annotation });
      }
    }
    return events.length > before || given !== '';
  }

  /** Ends a whole answer: without a finish reason, its counts show that it is complete. */
  endWhole(events: ChatEvent[]): void {
    this.#checkCount();
    this.#end(this.#usage === null ? 'closed' : 'done', events);
  }

  /** Ends a stream. Throws `upstream_interrupted` unless every requested choice is complete. */
  end(how: 'closed' | 'done', events: ChatEvent[]): void {
    if (how === 'done') this.#checkCount();
    this.#end(how, events);
  }

  #completeUsage(): Usage | null {
    if (this.#usage === null || this.#counted === null) return this.#usage;
    const said = (): string => [...this.#choices.values()].map((state) => state.reasoning + state.text + state.calls.text).join('');
    return completeUsage(this.#usage, this.#counted, said, this.#reading);
  }

  #checkCount(): void {
    const requested = this.#reading?.choices;
    if (requested === undefined || this.#choices.size === requested || this.#choices.size === 0) return;
    throw invalidAnswer(`${this.#choices.size} choices where ${requested} were asked for`);
  }

  #end(how: 'closed' | 'done', events: ChatEvent[]): void {
    if (this.#choices.size === 0) {
      throw new GatewayError('upstream_invalid_response', 'The vendor sent an answer without any content. Try again.');
    }
    for (const [choice, { reason, raw, warning: missing }] of this.#finishes.end(how)) {
      const state = this.#choices.get(choice) as ChoiceState;
      state.calls.finish();
      const ended = state.calls.correctReason(reason);
      const rest = state.thinking?.end(ended);
      if (rest !== undefined && rest.thought !== '') events.push({ type: 'reasoning-delta', choice, text: rest.thought });
      if (rest !== undefined && rest.text !== '') events.push({ type: 'text-delta', choice, text: rest.text });
      state.text += rest?.text ?? '';
      for (const annotation of this.#citations.annotations(state.text, state.annotations))
        events.push({ type: 'annotation', choice, annotation });
      if (state.details !== undefined) events.push(...state.details.thoughts(choice));
      const warning = judgeUnread(state.unread, state.said, this.#reading) ?? missing;
      const finish: Writable<Extract<ChatEvent, { type: 'finish' }>> = { type: 'finish', choice, reason: ended };
      if (raw !== undefined) finish.raw = raw;
      if (warning !== undefined) finish.warning = warning;
      events.push(finish);
    }
    this.ended = true;
    events.push({ type: 'response-end', usage: this.#completeUsage() });
  }
}

/** Reads the parts of one Gemini answer, or a whole answer as one part, into events. */
import type { ChatEvent, Usage } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { Reading, StreamProgress } from '../../../types/wire-format.ts';
import { invalidAnswer } from '../../answer-json.ts';
import { classifyFailure } from '../../classify-failure.ts';
import { FinishTracker } from '../../finish-tracker.ts';
import { readCitations } from './citations.ts';
import { FunctionCallReader } from './function-calls.ts';
import { readLogprobs } from './logprobs.ts';
import { readFile, readMedia } from './media.ts';
import { readUsage } from './usage.ts';

/** Gemini's finish reasons beyond the common table. */
const ends: NonNullable<Reading['finishReasons']> = {
  LANGUAGE: 'content_filter',
  IMAGE_PROHIBITED_CONTENT: 'content_filter',
  IMAGE_RECITATION: 'content_filter',
  MODEL_ARMOR: 'content_filter',
  OTHER: 'failure',
  IMAGE_OTHER: 'failure',
  NO_IMAGE: 'failure',
  MALFORMED_RESPONSE: 'failure',
  UNEXPECTED_TOOL_CALL: 'failure',
  TOO_MANY_TOOL_CALLS: 'failure',
  MISSING_THOUGHT_SIGNATURE: 'failure',
};

interface Candidate {
  readonly calls: FunctionCallReader;
  text: string;
  grounding: JsonObject | undefined;
  cited: JsonObject | undefined;
}

function nonEmpty(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function firstText(...values: readonly (Json | undefined)[]): string {
  return values.find((value) => typeof value === 'string') ?? '';
}

/** Code that the model ran at Google, and its result, as Markdown. It is not part of the answer, so it is emitted as reasoning. */
function executionMarkdown(part: JsonObject): string {
  const { executableCode: code, codeExecutionResult: result } = part;
  if (isJsonObject(code)) return `\n\`\`\`${firstText(code['language']).toLowerCase()}\n${firstText(code['code'])}\n\`\`\`\n`;
  if (isJsonObject(result)) return `\n\`\`\`\n${firstText(result['output'], result['outcome'])}\n\`\`\`\n`;
  return '';
}

export class AnswerReader {
  /** True after `response-end` was emitted; nothing may follow. */
  ended = false;
  #started = false;
  #blocked: string | undefined;
  #usage: Usage | null = null;
  readonly #candidates = new Map<number, Candidate>();
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

  /** Throws the vendor's error when `answer` is one. */
  read(answer: JsonObject, events: ChatEvent[]): void {
    if (answer['error'] !== undefined) this.#fail(answer);
    this.#usage = readUsage(answer) ?? this.#usage;
    const feedback = answer['promptFeedback'];
    if (isJsonObject(feedback)) this.#blocked = nonEmpty(feedback['blockReason']) ?? this.#blocked;
    if (!this.#started) {
      this.#started = true;
      const id = nonEmpty(answer['responseId']);
      const model = nonEmpty(answer['modelVersion']);
      events.push({ type: 'response-start', ...(id === undefined ? {} : { id }), ...(model === undefined ? {} : { model }) });
    }
    const candidates = answer['candidates'];
    if (!Array.isArray(candidates)) return;
    candidates.forEach((candidate: Json, position) => {
      if (isJsonObject(candidate)) this.#readCandidate(candidate, position, events);
    });
  }

  #fail(answer: JsonObject): never {
    const error = answer['error'];
    const code = isJsonObject(error) ? error['code'] : undefined;
    const failure = {
      status: typeof code === 'number' && code >= 400 && code < 600 ? code : 500,
      headers: {},
      body: JSON.stringify(answer),
    };
    throw classifyFailure(failure, undefined, this.#reading?.errorCodes);
  }

  #readCandidate(candidate: JsonObject, position: number, events: ChatEvent[]): void {
    const given = candidate['index'];
    const choice = typeof given === 'number' && Number.isSafeInteger(given) && given >= 0 ? given : position;
    let state = this.#candidates.get(choice);
    if (state === undefined) {
      state = { calls: new FunctionCallReader(choice), text: '', grounding: undefined, cited: undefined };
      this.#candidates.set(choice, state);
      this.#finishes.begin(choice);
    }
    const before = events.length;
    const content = candidate['content'];
    const parts = isJsonObject(content) && Array.isArray(content['parts']) ? (content['parts'] as readonly Json[]) : [];
    let logprobs = readLogprobs(candidate['logprobsResult']);
    for (const part of parts) {
      if (isJsonObject(part) && this.#readPart(part, choice, state, logprobs, events)) logprobs = undefined;
    }
    if (logprobs !== undefined) events.push({ type: 'text-delta', choice, text: '', logprobs });
    if (isJsonObject(candidate['groundingMetadata'])) state.grounding = candidate['groundingMetadata'];
    if (isJsonObject(candidate['citationMetadata'])) state.cited = candidate['citationMetadata'];
    if (events.length > before) this.#finishes.content(choice);
    const raw = candidate['finishReason'];
    // Some models send a finish reason with every part.
    if (typeof raw === 'string') this.#finishes.finish(choice, raw);
  }

  /** True when the log probabilities were emitted with this part. */
  #readPart(part: JsonObject, choice: number, state: Candidate, logprobs: JsonObject | undefined, events: ChatEvent[]): boolean {
    const call = part['functionCall'];
    const signature = nonEmpty(part['thoughtSignature']);
    let id: string | undefined;
    let hasText = false;
    if (isJsonObject(call)) id = state.calls.read(call, events);
    else if (part['thought'] === true) {
      const text = nonEmpty(part['text']);
      if (text !== undefined) events.push({ type: 'reasoning-delta', choice, text });
    } else if (isJsonObject(part['inlineData'])) readMedia(part['inlineData'], choice, events);
    else if (isJsonObject(part['fileData'])) readFile(part['fileData'], choice, events);
    else if (isJsonObject(part['executableCode']) || isJsonObject(part['codeExecutionResult']))
      events.push({ type: 'reasoning-delta', choice, text: executionMarkdown(part) });
    else {
      const text = nonEmpty(part['text']) ?? '';
      state.text += text;
      hasText = text !== '';
      if (hasText) events.push({ type: 'text-delta', choice, text, ...(logprobs === undefined ? {} : { logprobs }) });
    }
    if (signature !== undefined) {
      const detail = { type: 'reasoning.encrypted', format: 'gemini', ...(id === undefined ? {} : { id }), data: signature };
      events.push({ type: 'thought', choice, detail });
    }
    return hasText;
  }

  /** Ends a whole answer: without a finish reason, its counts show that it is complete. */
  endWhole(events: ChatEvent[]): void {
    this.end(this.#usage === null ? 'closed' : 'done', events);
  }

  /** Ends the answer. Throws `upstream_interrupted` unless every candidate is complete. */
  end(how: 'closed' | 'done', events: ChatEvent[]): void {
    const blocked = this.#blocked;
    if (blocked === undefined && this.#candidates.size === 0) throw invalidAnswer('an answer without any content');
    if (blocked !== undefined)
      for (const choice of this.#candidates.size === 0 ? [0] : this.#candidates.keys())
        this.#finishes.finishAs(choice, 'content_filter', blocked);
    for (const [choice, { reason, ...more }] of this.#finishes.end(blocked === undefined ? how : 'done')) {
      const state = this.#candidates.get(choice);
      state?.calls.close(events);
      for (const annotation of state === undefined ? [] : readCitations(state.text, state.grounding, state.cited))
        events.push({ type: 'annotation', choice, annotation });
      // Gemini also sends STOP when it calls functions.
      const called = reason === 'stop' && state?.calls.any === true;
      events.push({ type: 'finish', choice, reason: called ? 'tool_calls' : reason, ...more });
    }
    this.ended = true;
    events.push({ type: 'response-end', usage: this.#usage });
  }
}

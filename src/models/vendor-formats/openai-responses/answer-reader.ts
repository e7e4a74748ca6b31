/** Reads one response of OpenAI's Responses format, whole or as the events of a stream. */
import type { ChatEvent, FinishReason } from '../../../types/chat.ts';
import { GatewayError } from '../../../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { Reading, StreamProgress } from '../../../types/wire-format.ts';
import { imageDataUrl } from '../../answer-images.ts';
import { interruptedAnswer, invalidAnswer } from '../../answer-json.ts';
import { unknownReason } from '../../finish-reasons.ts';
import { flatName } from '../../flat-names.ts';
import { errorInside } from '../../classify-failure.ts';
import { readUsage } from './usage.ts';

/** What is known of an output item while it streams. */
interface OpenItem {
  /** The number of its tool call; null for other items. */
  readonly call: number | null;
  /** Parts of its content have come as deltas, so that the finished item adds none. */
  streamed: boolean;
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function listOf(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? (value as readonly Json[]).filter(isJsonObject) : [];
}

/** Why an incomplete response ended. */
const reasons: Readonly<Record<string, FinishReason>> = { max_output_tokens: 'length', content_filter: 'content_filter' };

export class AnswerReader {
  /** True once `response-end` was emitted; nothing may follow. */
  ended = false;
  #started = false;
  #calls = 0;
  #messages = 0;
  #searches = 0;
  readonly #items = new Map<number, OpenItem>();
  readonly #reading: Reading | undefined;

  constructor(reading?: Reading) {
    this.#reading = reading;
  }

  /** Throws the vendor's error if the response failed. */
  readWhole(response: JsonObject, events: ChatEvent[]): void {
    const error = errorInside(response, this.#reading?.errorCodes);
    if (error !== undefined) throw error;
    if (!Array.isArray(response['output'])) throw invalidAnswer('an answer without any output', JSON.stringify(response));
    this.#start(response, events);
    listOf(response['output']).forEach((item, index) => {
      this.#open(index, item, events);
      this.#close(index, item, events);
    });
    this.#end(response, events);
  }

  /** One event of a stream. Events of unknown types are ignored. */
  read(event: JsonObject, events: ChatEvent[]): void {
    const { type, item, delta, response } = event;
    const index = typeof event['output_index'] === 'number' ? event['output_index'] : 0;
    switch (type) {
      case 'response.created':
      case 'response.in_progress':
        if (isJsonObject(response)) this.#start(response, events);
        return;
      case 'response.output_item.added':
        if (isJsonObject(item)) this.#open(index, item, events);
        return;
      case 'response.output_item.done':
        if (isJsonObject(item)) this.#close(index, item, events);
        return;
      case 'response.output_text.delta':
        this.#text(index, event, events);
        return;
      case 'response.output_text.annotation.added':
        if (isJsonObject(event['annotation'])) this.#annotate(index, event['annotation'], events);
        return;
      case 'response.refusal.delta':
        this.#delta(index);
        events.push({ type: 'refusal-delta', choice: 0, text: textOf(delta) });
        return;
      case 'response.reasoning_text.delta':
      case 'response.reasoning_summary_text.delta':
        this.#delta(index);
        events.push({ type: 'reasoning-delta', choice: 0, text: textOf(delta) });
        return;
      case 'response.reasoning_summary_part.added':
        // Summaries come in parts; a blank line keeps them apart.
        if (typeof event['summary_index'] === 'number' && event['summary_index'] > 0)
          events.push({ type: 'reasoning-delta', choice: 0, text: '\n\n' });
        return;
      case 'response.function_call_arguments.delta':
      case 'response.custom_tool_call_input.delta': {
        const { call } = this.#delta(index);
        if (call !== null) events.push({ type: 'tool-call-delta', choice: 0, call, arguments: textOf(delta) });
        return;
      }
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
      case 'response.cancelled':
        if (isJsonObject(response)) this.#end(response, events);
        return;
      case 'error':
        throw this.#failure({ error: isJsonObject(event['error']) ? event['error'] : event });
      default:
    }
  }

  get progress(): StreamProgress {
    return this.ended ? 'counted' : 'open';
  }

  /** Ends the stream. The last event ends the answer; `[DONE]` adds nothing. Throws `upstream_interrupted` unless the answer has ended. */
  end(how: 'closed' | 'done'): void {
    if (how === 'closed' && !this.ended) throw interruptedAnswer();
  }

  #start(response: JsonObject, events: ChatEvent[]): void {
    if (this.#started) return;
    this.#started = true;
    const { id, model, service_tier: tier } = response;
    events.push({
      type: 'response-start',
      ...(typeof id === 'string' && id !== '' ? { id } : {}),
      ...(typeof model === 'string' && model !== '' ? { model } : {}),
      ...(typeof tier === 'string' ? { extra: { service_tier: tier } } : {}),
    });
  }

  #delta(index: number): OpenItem {
    const open = this.#items.get(index) ?? { call: null, streamed: false };
    open.streamed = true;
    this.#items.set(index, open);
    return open;
  }

  #open(index: number, item: JsonObject, events: ChatEvent[]): void {
    if (this.#items.has(index)) return;
    const isCall = item['type'] === 'function_call' || item['type'] === 'custom_tool_call';
    this.#items.set(index, { call: isCall ? this.#calls : null, streamed: false });
    if (item['type'] === 'message') this.#message(item, events);
    if (item['type'] === 'web_search_call') this.#searches++;
    if (!isCall) return;
    const id = textOf(item['call_id']) || textOf(item['id']);
    const { namespace } = item;
    const called = textOf(item['name']);
    const name = typeof namespace === 'string' && called !== '' ? flatName(namespace, called) : called;
    if (name === '') throw invalidAnswer('a tool call without a name', JSON.stringify(item));
    events.push({
      type: 'tool-call-start',
      choice: 0,
      call: this.#calls++,
      id,
      name,
      ...(item['type'] === 'custom_tool_call' ? { kind: 'custom' as const } : {}),
    });
  }

  /** A phase, such as commentary, and the boundary between two messages of one answer. */
  #message({ phase }: JsonObject, events: ChatEvent[]): void {
    if (this.#messages++ === 0 && typeof phase !== 'string') return;
    const event: JsonObject = { type: 'message', ...(typeof phase === 'string' ? { phase } : {}) };
    events.push({ type: 'vendor', format: 'openai-responses', choice: 0, event });
  }

  /** The item is complete: emits what did not come as deltas. */
  #close(index: number, item: JsonObject, events: ChatEvent[]): void {
    this.#open(index, item, events);
    const { call, streamed } = this.#items.get(index) ?? { call: null, streamed: false };
    switch (item['type']) {
      case 'message':
        if (!streamed) for (const part of listOf(item['content'])) this.#part(index, part, events);
        return;
      case 'reasoning':
        this.#reasoning(item, streamed, events);
        return;
      case 'function_call':
      case 'custom_tool_call': {
        const given = textOf(item['arguments'] ?? item['input']);
        if (!streamed && call !== null && given !== '') events.push({ type: 'tool-call-delta', choice: 0, call, arguments: given });
        return;
      }
      case 'image_generation_call': {
        const format = typeof item['output_format'] === 'string' ? `image/${item['output_format']}` : undefined;
        if (typeof item['result'] === 'string') events.push({ type: 'image', choice: 0, url: imageDataUrl(item['result'], format) });
        return;
      }
      default:
        // A call that the vendor ran itself, such as a web search.
        events.push({ type: 'vendor', format: 'openai-responses', choice: 0, event: item });
    }
  }

  #part(index: number, part: JsonObject, events: ChatEvent[]): void {
    if (part['type'] === 'refusal') {
      events.push({ type: 'refusal-delta', choice: 0, text: textOf(part['refusal']) });
      return;
    }
    this.#text(index, { delta: part['text'] ?? '', logprobs: part['logprobs'] ?? [] }, events);
    for (const annotation of listOf(part['annotations'])) this.#annotate(index, annotation, events);
  }

  #text(index: number, { delta, logprobs }: JsonObject, events: ChatEvent[]): void {
    this.#delta(index);
    const content = listOf(logprobs);
    events.push({
      type: 'text-delta',
      choice: 0,
      text: textOf(delta),
      ...(content.length === 0 ? {} : { logprobs: { content, refusal: null } }),
    });
  }

  #annotate(index: number, annotation: JsonObject, events: ChatEvent[]): void {
    this.#delta(index);
    if (annotation['type'] !== 'url_citation') {
      events.push({ type: 'vendor', format: 'openai-responses', choice: 0, event: { type: 'annotation', annotation } });
      return;
    }
    const { type, ...citation } = annotation;
    events.push({ type: 'annotation', choice: 0, annotation: { type, url_citation: citation } });
  }

  #reasoning(item: JsonObject, streamed: boolean, events: ChatEvent[]): void {
    if (!streamed) {
      const parts = [...listOf(item['content']), ...listOf(item['summary'])]
        .map((part) => textOf(part['text']))
        .filter((text) => text !== '');
      if (parts.length > 0) events.push({ type: 'reasoning-delta', choice: 0, text: parts.join('\n\n') });
    }
    const { id, encrypted_content: data } = item;
    if (typeof data !== 'string' || data === '') return;
    const detail = { type: 'reasoning.encrypted', format: 'openai-responses', data, ...(typeof id === 'string' ? { item: id } : {}) };
    events.push({ type: 'thought', choice: 0, detail });
  }

  #failure(body: JsonObject): GatewayError {
    const known = errorInside(body, this.#reading?.errorCodes);
    return (
      known ??
      new GatewayError('upstream_error', 'The vendor failed. Try again.', { details: { text: JSON.stringify(body).slice(0, 500) } })
    );
  }

  #end(response: JsonObject, events: ChatEvent[]): void {
    this.#start(response, events);
    const { status, error, incomplete_details: details } = response;
    if (isJsonObject(error) || status === 'failed' || status === 'cancelled')
      throw this.#failure({ error: error ?? { message: textOf(status) } });
    if (status === 'in_progress' || status === 'queued') throw interruptedAnswer();
    if (status !== undefined && status !== 'completed' && status !== 'incomplete') throw unknownReason(textOf(status) || 'no status');
    const raw = isJsonObject(details) ? textOf(details['reason']) : '';
    const cut = status === 'incomplete' ? (reasons[raw] ?? 'length') : null;
    const reason = cut ?? (this.#calls > 0 ? 'tool_calls' : 'stop');
    events.push({ type: 'finish', choice: 0, reason, ...(raw === '' ? {} : { raw }) });
    this.ended = true;
    events.push({ type: 'response-end', usage: readUsage(response['usage'], this.#searches) });
  }
}

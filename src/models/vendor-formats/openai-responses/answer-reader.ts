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
import { OutputEntries, type OutputEntry, restOf } from './output-entries.ts';
import { readUsage } from './usage.ts';

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function listOf(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? (value as readonly Json[]).filter(isJsonObject) : [];
}

/** The index of the part that an event belongs to. */
function indexOf({ content_index: index }: JsonObject): number {
  return typeof index === 'number' ? index : 0;
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
  readonly #items = new OutputEntries();
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
      this.#complete(this.#begin(item, index, events), item, events);
    });
    this.#end(response, events);
  }

  /** One event of a stream. Events of unknown types are ignored. */
  read(event: JsonObject, events: ChatEvent[]): void {
    const { type, item, delta, response } = event;
    switch (type) {
      case 'response.created':
      case 'response.in_progress':
        if (isJsonObject(response)) this.#start(response, events);
        return;
      case 'response.output_item.added':
        if (isJsonObject(item)) this.#open(item, event, 'begins', events);
        return;
      case 'response.output_item.done':
        if (isJsonObject(item)) this.#complete(this.#open(item, event, 'ends', events), item, events);
        return;
      case 'response.output_text.delta':
        this.#text(this.#entry('message', event, events), indexOf(event), event, events);
        return;
      case 'response.output_text.done':
        this.#text(this.#entry('message', event, events), indexOf(event), { delta: event['text'] ?? '', isWhole: true }, events);
        return;
      case 'response.output_text.annotation.added':
        if (isJsonObject(event['annotation'])) this.#annotate(this.#entry('message', event, events), event['annotation'], events);
        return;
      case 'response.refusal.delta':
        this.#refusal(this.#entry('message', event, events), indexOf(event), textOf(delta), events);
        return;
      case 'response.reasoning_text.delta':
      case 'response.reasoning_summary_text.delta':
        this.#entry('reasoning', event, events).thought = true;
        events.push({ type: 'reasoning-delta', choice: 0, text: textOf(delta) });
        return;
      case 'response.reasoning_summary_part.added':
        // Summaries come in parts; a blank line keeps them apart.
        if (typeof event['summary_index'] === 'number' && event['summary_index'] > 0)
          events.push({ type: 'reasoning-delta', choice: 0, text: '\n\n' });
        return;
      case 'response.function_call_arguments.delta':
        this.#input(this.#entry('function_call', event, events), textOf(delta), events);
        return;
      case 'response.custom_tool_call_input.delta':
        this.#input(this.#entry('custom_tool_call', event, events), textOf(delta), events);
        return;
      case 'response.function_call_arguments.done':
        this.#wholeInput(this.#entry('function_call', event, events), event, events);
        return;
      case 'response.custom_tool_call_input.done':
        this.#wholeInput(this.#entry('custom_tool_call', event, events), event, events);
        return;
      case 'response.completed':
      case 'response.done':
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

  /** The item that a part belongs to. */
  #entry(type: string, event: JsonObject, events: ChatEvent[]): OutputEntry {
    return this.#items.ofDelta(type, event, (index, id) => {
      const entry = this.#items.add(type, index, id);
      if (type === 'message') this.#message({}, events);
      return entry;
    });
  }

  #open(item: JsonObject, event: JsonObject, how: 'begins' | 'ends', events: ChatEvent[]): OutputEntry {
    const known = this.#items.ofItem(item, event, how);
    if (known === undefined) {
      const { output_index: index } = event;
      return this.#begin(item, typeof index === 'number' ? index : undefined, events);
    }
    this.#startCall(known, item, events);
    return known;
  }

  #begin(item: JsonObject, index: number | undefined, events: ChatEvent[]): OutputEntry {
    const type = textOf(item['type']);
    const entry = this.#items.add(type, index, OutputEntries.idOf(item));
    if (type === 'message') this.#message(item, events);
    if (type === 'web_search_call') this.#searches++;
    this.#startCall(entry, item, events);
    return entry;
  }

  /** Starts a tool call when its name has come. */
  #startCall(entry: OutputEntry, item: JsonObject, events: ChatEvent[]): void {
    const isCustom = entry.type === 'custom_tool_call';
    if (entry.call !== null || (!isCustom && entry.type !== 'function_call')) return;
    const { namespace } = item;
    const called = textOf(item['name']);
    if (called === '') return;
    entry.call = this.#calls++;
    events.push({
      type: 'tool-call-start',
      choice: 0,
      call: entry.call,
      id: textOf(item['call_id']) || textOf(item['id']),
      name: typeof namespace === 'string' ? flatName(namespace, called) : called,
      ...(isCustom ? { kind: 'custom' as const } : {}),
    });
    if (entry.input !== '') events.push({ type: 'tool-call-delta', choice: 0, call: entry.call, arguments: entry.input });
  }

  #input(entry: OutputEntry, part: string, events: ChatEvent[]): void {
    if (part === '') return;
    entry.input += part;
    if (entry.call !== null) events.push({ type: 'tool-call-delta', choice: 0, call: entry.call, arguments: part });
  }

  #wholeInput(entry: OutputEntry, { arguments: args, input }: JsonObject, events: ChatEvent[]): void {
    const whole = args ?? input;
    this.#input(entry, restOf(isJsonObject(whole) ? JSON.stringify(whole) : textOf(whole), entry.input), events);
  }

  /** A phase, such as commentary, and the boundary between two messages of one answer. */
  #message({ phase }: JsonObject, events: ChatEvent[]): void {
    if (this.#messages++ === 0 && typeof phase !== 'string') return;
    const event: JsonObject = { type: 'message', ...(typeof phase === 'string' ? { phase } : {}) };
    events.push({ type: 'vendor', format: 'openai-responses', choice: 0, event });
  }

  /** Emits what did not come as deltas. */
  #complete(entry: OutputEntry, item: JsonObject, events: ChatEvent[]): void {
    if (entry.isComplete) return;
    entry.isComplete = true;
    switch (entry.type) {
      case 'message':
        this.#parts(entry, listOf(item['content']), events);
        return;
      case 'reasoning':
        this.#reasoning(item, entry.thought, events);
        return;
      case 'function_call':
      case 'custom_tool_call':
        if (entry.call === null) throw invalidAnswer('a tool call without a name', JSON.stringify(item));
        this.#wholeInput(entry, item, events);
        return;
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

  #parts(entry: OutputEntry, parts: readonly JsonObject[], events: ChatEvent[]): void {
    const refusals = parts.filter((part) => part['type'] === 'refusal').map((part) => textOf(part['refusal']));
    const texts = parts.filter((part) => part['type'] !== 'refusal');
    // Not every vendor numbers the parts of its deltas, so that the texts are compared as one.
    if (entry.texts.length > 0) {
      const rest = restOf(texts.map((part) => textOf(part['text'])).join(''), entry.texts.join(''));
      if (rest !== '') this.#text(entry, 0, { delta: rest }, events);
    } else
      texts.forEach((part, index) => this.#text(entry, index, { delta: part['text'] ?? '', logprobs: part['logprobs'] ?? [] }, events));
    this.#refusal(entry, 0, restOf(refusals.join(''), entry.refusals.join('')), events);
    const annotations = texts.flatMap((part) => listOf(part['annotations']));
    for (const annotation of annotations.slice(entry.annotations)) this.#annotate(entry, annotation, events);
  }

  /** `isWhole`: the delta is the complete text of its part, of which a beginning may have come. */
  #text(entry: OutputEntry, index: number, { delta, logprobs, isWhole }: JsonObject, events: ChatEvent[]): void {
    const sent = entry.texts[index] ?? '';
    const text = isWhole === true ? restOf(textOf(delta), sent) : textOf(delta);
    if (isWhole === true && text === '' && index in entry.texts) return;
    entry.texts[index] = sent + text;
    const content = listOf(logprobs);
    events.push({
      type: 'text-delta',
      choice: 0,
      text,
      ...(content.length === 0 ? {} : { logprobs: { content, refusal: null } }),
    });
  }

  #refusal(entry: OutputEntry, index: number, text: string, events: ChatEvent[]): void {
    if (text === '') return;
    entry.refusals[index] = (entry.refusals[index] ?? '') + text;
    events.push({ type: 'refusal-delta', choice: 0, text });
  }

  #annotate(entry: OutputEntry, annotation: JsonObject, events: ChatEvent[]): void {
    entry.annotations++;
    if (annotation['type'] !== 'url_citation') {
      events.push({ type: 'vendor', format: 'openai-responses', choice: 0, event: { type: 'annotation', annotation } });
      return;
    }
    const { type, ...citation } = annotation;
    events.push({ type: 'annotation', choice: 0, annotation: { type, url_citation: citation } });
  }

  #reasoning(item: JsonObject, isStreamed: boolean, events: ChatEvent[]): void {
    if (!isStreamed) {
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

  /** Emits what the last event has and the events before it had not. */
  #catchUp(output: readonly JsonObject[], events: ChatEvent[]): void {
    const places = new Map<Json | undefined, number>();
    for (const item of output) {
      const place = places.get(item['type']) ?? 0;
      places.set(item['type'], place + 1);
      const known = this.#items.ofOutput(item, place);
      if (known !== undefined) this.#startCall(known, item, events);
      this.#complete(known ?? this.#begin(item, undefined, events), item, events);
    }
    const nameless = this.#items.all.find(({ type, call }) => call === null && (type === 'function_call' || type === 'custom_tool_call'));
    if (nameless !== undefined) throw invalidAnswer('a tool call without a name', nameless.input);
  }

  #end(response: JsonObject, events: ChatEvent[]): void {
    this.#start(response, events);
    const { status, error, incomplete_details: details } = response;
    if (isJsonObject(error) || status === 'failed' || status === 'cancelled')
      throw this.#failure({ error: error ?? { message: textOf(status) } });
    if (status === 'in_progress' || status === 'queued') throw interruptedAnswer();
    if (status !== undefined && status !== 'completed' && status !== 'incomplete') throw unknownReason(textOf(status) || 'no status');
    this.#catchUp(listOf(response['output']), events);
    const raw = isJsonObject(details) ? textOf(details['reason']) : '';
    const cut = status === 'incomplete' ? (reasons[raw] ?? 'length') : null;
    const reason = cut ?? (this.#calls > 0 ? 'tool_calls' : 'stop');
    events.push({ type: 'finish', choice: 0, reason, ...(raw === '' ? {} : { raw }) });
    this.ended = true;
    events.push({ type: 'response-end', usage: readUsage(response['usage'], this.#searches) });
  }
}

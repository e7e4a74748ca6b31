/** The output item of a message: texts and refusals as parts, each with its events. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { EventSink } from './event-sink.ts';

interface TextPart {
  readonly type: 'output_text';
  annotations: readonly JsonObject[];
  logprobs: readonly Json[];
  text: string;
}
interface RefusalPart {
  readonly type: 'refusal';
  refusal: string;
}

export class MessageItem {
  readonly item: Record<string, Json | undefined>;
  readonly #sink: EventSink;
  readonly #place: { readonly item_id: string; readonly output_index: number };
  readonly #content: (TextPart | RefusalPart)[] = [];
  #open: TextPart | RefusalPart | null = null;

  constructor(sink: EventSink, id: string, outputIndex: number, phase?: string) {
    this.#sink = sink;
    this.#place = { item_id: id, output_index: outputIndex };
    this.item = {
      id,
      type: 'message',
      status: 'in_progress',
      role: 'assistant',
      ...(phase === undefined ? {} : { phase }),
      content: this.#content as unknown as readonly JsonObject[],
    };
    sink('response.output_item.added', { output_index: outputIndex, item: { ...this.item } });
  }

  text(delta: string, logprobs: JsonObject | undefined): void {
    const part = this.#textPart();
    part.text += delta;
    const tokens = Array.isArray(logprobs?.['content']) ? (logprobs['content'] as readonly Json[]) : [];
    if (tokens.length > 0) part.logprobs = [...part.logprobs, ...tokens];
    const { item_id: item, output_index: output } = this.#place;
    const content = this.#content.length - 1;
    this.#sink('response.output_text.delta', { item_id: item, output_index: output, content_index: content, delta, logprobs: tokens });
  }

  refusal(delta: string): void {
    if (this.#open?.type !== 'refusal') this.#begin({ type: 'refusal', refusal: '' });
    const part = this.#open as RefusalPart;
    part.refusal += delta;
    this.#sink('response.refusal.delta', { ...this.#partPlace(), delta });
  }

  /** `annotation` in chat-completions form. */
  annotation(annotation: JsonObject): void {
    const citation = annotation['url_citation'];
    if (annotation['type'] !== 'url_citation' || !isJsonObject(citation)) return;
    this.rawAnnotation({ type: 'url_citation', ...citation });
  }

  /** `flat`: an annotation in the form of this format. */
  rawAnnotation(flat: JsonObject): void {
    const part = this.#textPart();
    const known = part.annotations;
    part.annotations = [...known, flat];
    this.#sink('response.output_text.annotation.added', { ...this.#partPlace(), annotation_index: known.length, annotation: flat });
  }

  close(status: 'completed' | 'incomplete'): void {
    this.#closePart();
    this.item['status'] = status;
    this.#sink('response.output_item.done', { output_index: this.#place.output_index, item: { ...this.item } });
  }

  #partPlace(): JsonObject {
    return { ...this.#place, content_index: this.#content.length - 1 };
  }

  #textPart(): TextPart {
    if (this.#open?.type === 'output_text') return this.#open;
    const part: TextPart = { type: 'output_text', annotations: [], logprobs: [], text: '' };
    this.#begin(part);
    return part;
  }

  #begin(part: TextPart | RefusalPart): void {
    this.#closePart();
    this.#content.push(part);
    this.#open = part;
    this.#sink('response.content_part.added', { ...this.#partPlace(), part: { ...part } });
  }

  #closePart(): void {
    const part = this.#open;
    if (part === null) return;
    this.#open = null;
    const place = this.#partPlace();
    if (part.type === 'refusal') this.#sink('response.refusal.done', { ...place, refusal: part.refusal });
    else this.#sink('response.output_text.done', { ...place, text: part.text, logprobs: part.logprobs });
    this.#sink('response.content_part.done', { ...place, part: { ...part } });
  }
}

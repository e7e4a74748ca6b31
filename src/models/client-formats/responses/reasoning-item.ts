/** The output item of reasoning: as open reasoning, or as a summary for clients that show summaries only. */
import type { Json, JsonObject } from '../../../types/json.ts';
import { encodeReasoning } from '../encoded-reasoning.ts';
import type { EventSink } from './event-sink.ts';

export interface ReasoningForm {
  readonly summary: boolean;
  readonly encrypted: boolean;
}

export class ReasoningItem {
  readonly item: Record<string, Json | undefined>;
  readonly #sink: EventSink;
  readonly #form: ReasoningForm;
  readonly #place: { readonly item_id: string; readonly output_index: number };
  readonly #details: JsonObject[] = [];
  #text: string | null = null;

  constructor(sink: EventSink, form: ReasoningForm, id: string, outputIndex: number) {
    this.#sink = sink;
    this.#form = form;
    this.#place = { item_id: id, output_index: outputIndex };
    this.item = { id, type: 'reasoning', status: 'in_progress', summary: [], ...(form.encrypted ? { encrypted_content: null } : {}) };
    sink('response.output_item.added', { output_index: outputIndex, item: { ...this.item } });
  }

  text(delta: string): void {
    if (this.#text === null) {
      this.#text = '';
      if (this.#form.summary) {
        this.#sink('response.reasoning_summary_part.added', { ...this.#place, summary_index: 0, part: { type: 'summary_text', text: '' } });
      } else this.#sink('response.content_part.added', { ...this.#place, content_index: 0, part: { type: 'reasoning_text', text: '' } });
    }
    this.#text += delta;
    if (this.#form.summary) this.#sink('response.reasoning_summary_text.delta', { ...this.#place, summary_index: 0, delta });
    else this.#sink('response.reasoning_text.delta', { ...this.#place, content_index: 0, delta });
  }

  /** Reasoning that only its vendor can read. */
  detail(detail: JsonObject): void {
    this.#details.push(detail);
  }

  close(status: 'completed' | 'incomplete'): void {
    const text = this.#text;
    if (text !== null && this.#form.summary) {
      const part = { type: 'summary_text', text };
      this.#sink('response.reasoning_summary_text.done', { ...this.#place, summary_index: 0, text });
      this.#sink('response.reasoning_summary_part.done', { ...this.#place, summary_index: 0, part });
      this.item['summary'] = [part];
    } else if (text !== null) {
      const part = { type: 'reasoning_text', text };
      this.#sink('response.reasoning_text.done', { ...this.#place, content_index: 0, text });
      this.#sink('response.content_part.done', { ...this.#place, content_index: 0, part });
      this.item['content'] = [part];
    }
    if (this.#form.encrypted && this.#details.length > 0) this.item['encrypted_content'] = encodeReasoning({ details: this.#details });
    this.item['status'] = status;
    this.#sink('response.output_item.done', { output_index: this.#place.output_index, item: { ...this.item } });
  }
}

/** An output item of a vendor that answers in the Responses format itself, such as a web search: unchanged, but for its id. */
import type { Json, JsonObject } from '../../../types/json.ts';
import type { EventSink } from './event-sink.ts';

/** The prefix of the vendor's own id; clients and vendors tell items by it. */
export function prefixOf(item: JsonObject): string {
  const id = typeof item['id'] === 'string' ? item['id'] : '';
  return /^([a-z]{1,12})_/.exec(id)?.[1] ?? 'item';
}

export class VendorItem {
  readonly item: Readonly<Record<string, Json | undefined>>;

  /** Emits the complete item. */
  constructor(sink: EventSink, given: JsonObject, id: string, outputIndex: number) {
    this.item = { ...given, id };
    sink('response.output_item.added', { output_index: outputIndex, item: this.item });
    sink('response.output_item.done', { output_index: outputIndex, item: this.item });
  }
}

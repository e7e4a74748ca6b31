/** The output item of a compacted conversation. */
import type { Json, JsonObject } from '../../../types/json.ts';
import { encodeSummary } from './compaction.ts';
import type { EventSink } from './event-sink.ts';

export class CompactionItem {
  readonly item: Readonly<Record<string, Json>>;

  /** Emits the complete item. */
  constructor(sink: EventSink, summary: string, id: string, outputIndex: number) {
    this.item = { id, type: 'compaction', encrypted_content: encodeSummary(summary) };
    const begun: JsonObject = { ...this.item };
    sink('response.output_item.added', { output_index: outputIndex, item: begun });
    sink('response.output_item.done', { output_index: outputIndex, item: this.item });
  }
}

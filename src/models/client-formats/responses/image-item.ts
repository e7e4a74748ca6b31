/** The output item of a generated picture, in the form of OpenAI's image tool. */
import type { Json, JsonObject } from '../../../types/json.ts';
import type { EventSink } from './event-sink.ts';

const name = 'response.image_generation_call';

export class ImageItem {
  readonly item: Readonly<Record<string, Json>>;

  /** Emits the complete item. `base64`: the picture. */
  constructor(sink: EventSink, base64: string, mediaType: string, id: string, outputIndex: number) {
    const place: JsonObject = { item_id: id, output_index: outputIndex };
    const begun: JsonObject = { id, type: 'image_generation_call', status: 'in_progress', result: null };
    this.item = { ...begun, status: 'completed', output_format: mediaType.replace('image/', ''), result: base64 };
    sink('response.output_item.added', { output_index: outputIndex, item: begun });
    sink(`${name}.in_progress`, place);
    sink(`${name}.generating`, place);
    sink(`${name}.completed`, place);
    sink('response.output_item.done', { output_index: outputIndex, item: this.item });
  }
}

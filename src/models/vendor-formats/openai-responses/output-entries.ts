/** The output items of one response while they come: which event belongs to which item, and how much of the item has come. Vendors number and name items in different ways, or not at all. */
import type { Json, JsonObject } from '../../../types/json.ts';

export interface OutputEntry {
  readonly type: string;
  readonly index: number | undefined;
  /** The vendor's id of the item, else that of its call. */
  readonly id: string | undefined;
  /** The number of its tool call; null for other items, and for a call whose name has not come. */
  call: number | null;
  /** The texts and refusals so far, by the index of their part. */
  readonly texts: string[];
  readonly refusals: string[];
  /** The arguments or the free text of a call so far. */
  input: string;
  /** True when reasoning has come. */
  thought: boolean;
  annotations: number;
  /** True when the complete item has come. */
  isComplete: boolean;
}

function idOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function indexOf({ output_index: index }: JsonObject): number | undefined {
  return typeof index === 'number' ? index : undefined;
}

/** What a complete text adds to its beginning. */
export function restOf(whole: string, sent: string): string {
  return whole.startsWith(sent) ? whole.slice(sent.length) : '';
}

export class OutputEntries {
  readonly all: OutputEntry[] = [];

  add(type: string, index: number | undefined, id: string | undefined): OutputEntry {
    const entry: OutputEntry = {
      type,
      index,
      id,
      call: null,
      texts: [],
      refusals: [],
      input: '',
      thought: false,
      annotations: 0,
      isComplete: false,
    };
    this.all.push(entry);
    return entry;
  }

  /** The item of a delta. A new one if none has begun. */
  ofDelta(type: string, event: JsonObject, begin: (index: number | undefined, id: string | undefined) => OutputEntry): OutputEntry {
    const id = idOf(event['item_id']);
    const index = indexOf(event);
    return this.#byId(type, id) ?? this.#lastAt(type, index) ?? begin(index, id);
  }

  /** The item that begins or ends; undefined if it is a new one. */
  ofItem(item: JsonObject, event: JsonObject, how: 'begins' | 'ends'): OutputEntry | undefined {
    const type = idOf(item['type']) ?? '';
    const id = OutputEntries.idOf(item);
    const known = this.#byId(type, id);
    if (known !== undefined) return known;
    const last = this.#lastAt(type, indexOf(event));
    if (last === undefined || last.isComplete) return undefined;
    // The end of an item may have another id than its beginning, if both have the same index.
    const isOther = last.id !== undefined && id !== undefined && (how === 'begins' || last.index === undefined);
    return isOther ? undefined : last;
  }

  /** The item at this place among those of its type in the complete output, which may have other ids than the stream. */
  ofOutput(item: JsonObject, place: number): OutputEntry | undefined {
    const type = idOf(item['type']) ?? '';
    const known = this.#byId(type, OutputEntries.idOf(item));
    if (known !== undefined) return known;
    return this.all.filter((entry) => entry.type === type)[place];
  }

  static idOf(item: JsonObject): string | undefined {
    return idOf(item['id']) ?? idOf(item['call_id']);
  }

  #byId(type: string, id: string | undefined): OutputEntry | undefined {
    if (id === undefined) return undefined;
    return this.all.findLast((entry) => entry.type === type && entry.id === id);
  }

  #lastAt(type: string, index: number | undefined): OutputEntry | undefined {
    return this.all.findLast((entry) => entry.type === type && (index === undefined || entry.index === undefined || entry.index === index));
  }
}

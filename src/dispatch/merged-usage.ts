/** Sums the usage of an answer in several parts from several deployments: each token counts once. */
import { estimateUsage } from '../models/estimate-usage.ts';
import { sumUsage } from '../telemetry/sum-usage.ts';
import type { Run } from '../telemetry/run.ts';
import type { ChatBody, ChatEvent, ChatEvents, Usage } from '../types/chat.ts';
import type { Price } from '../types/price.ts';
import { channelOf } from './delivered-content.ts';

/** All text in some events, for an estimate. */
export function wordsIn(events: readonly ChatEvent[]): string {
  let words = '';
  for (const event of events) {
    if (channelOf(event) !== null) words += (event as Extract<ChatEvent, { type: 'text-delta' }>).text;
    else if (event.type === 'tool-call-delta') words += event.arguments;
  }
  return words;
}

/** The usage of one part. */
export interface Use {
  readonly asked: ChatBody;
  /** The text of the part. */
  heard: string;
  /** The vendor's counts, if they arrived. */
  reported: Usage | null;
}

export class MergedUsage {
  readonly #run: Run;
  readonly #parts: Usage[] = [];

  constructor(run: Run) {
    this.#run = run;
  }

  get isEmpty(): boolean {
    return this.#parts.length === 0;
  }

  /** Adds a part that did not end the answer. */
  add({ asked, heard, reported }: Use, price: Price | null): void {
    const usage = reported ?? estimateUsage(asked, heard);
    this.#parts.push(usage);
    this.#run.usedElsewhere(usage, price);
    this.#run.used(sumUsage(this.#parts));
  }

  /** The final events with the sum of all parts; the same events when there is one part. */
  onLast(events: readonly ChatEvent[], { asked, heard }: Use): readonly ChatEvent[] {
    if (this.isEmpty) return events;
    return events.map((event) =>
      event.type === 'response-end' ? { ...event, usage: sumUsage([...this.#parts, event.usage ?? estimateUsage(asked, heard)]) } : event,
    );
  }

  /** The same events with the sum of all parts at the end, for an answer after discarded parts. */
  async *ending(events: ChatEvents, asked: ChatBody): AsyncGenerator<readonly ChatEvent[]> {
    const use: Use = { asked, heard: '', reported: null };
    for await (const batch of events) {
      use.heard += wordsIn(batch);
      yield batch.at(-1)?.type === 'response-end' ? this.onLast(batch, use) : batch;
    }
  }
}

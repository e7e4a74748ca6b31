/** Sums the usage of an answer in several parts from several deployments: each token counts once. */
import { completedUsage } from '../models/estimate-usage.ts';
import { sumUsage } from '../telemetry/sum-usage.ts';
import type { Run } from '../telemetry/run.ts';
import type { ChatBody, ChatEvent, ChatEvents, Usage } from '../types/chat.ts';
import type { Deployment } from '../types/snapshot.ts';
import { channelOf } from './delivered-content.ts';

/** All text in some events, for an estimate. */
export function textOf(events: readonly ChatEvent[]): string {
  let text = '';
  for (const event of events) {
    if (channelOf(event) !== null) text += (event as Extract<ChatEvent, { type: 'text-delta' }>).text;
    else if (event.type === 'tool-call-delta') text += event.arguments;
  }
  return text;
}

/** The usage of one part. */
export interface Use {
  readonly request: ChatBody;
  /** The text of the part. */
  text: string;
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
  add({ request, text, reported }: Use, { id, price }: Pick<Deployment, 'id' | 'price'>): void {
    const usage = completedUsage(reported, request, text);
    this.#parts.push(usage);
    this.#run.usedElsewhere(id, usage, price);
    this.#run.used(sumUsage(this.#parts));
  }

  /** The final events with the sum of all parts; the same events when there is one part. */
  onLast(events: readonly ChatEvent[], { request, text }: Use): readonly ChatEvent[] {
    if (this.isEmpty) return events;
    return events.map((event) =>
      event.type === 'response-end' ? { ...event, usage: sumUsage([...this.#parts, completedUsage(event.usage, request, text)]) } : event,
    );
  }

  /** The same events with the sum of all parts at the end, for an answer after discarded parts. */
  async *ending(events: ChatEvents, request: ChatBody): AsyncGenerator<readonly ChatEvent[]> {
    const use: Use = { request, text: '', reported: null };
    for await (const batch of events) {
      use.text += textOf(batch);
      yield batch.at(-1)?.type === 'response-end' ? this.onLast(batch, use) : batch;
    }
  }
}

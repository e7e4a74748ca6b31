/** The delivered part of an answer, in a form that another attempt can be compared with. */
import type { ChatEvent, FinishReason } from '../types/chat.ts';
import type { JsonObject } from '../types/json.ts';

export type Channel = 'text' | 'reasoning' | 'refusal';

/** Consecutive text of one kind. */
export interface DeliveredSegment {
  readonly channel: Channel;
  readonly text: string;
}

export interface DeliveredChoice {
  readonly segments: readonly DeliveredSegment[];
  /** The number of reasoning entries that only their vendor can read. */
  readonly thoughts: number;
  readonly annotations: readonly JsonObject[];
  readonly finish: FinishReason | null;
}

interface OpenChoice extends DeliveredChoice {
  readonly segments: { channel: Channel; text: string }[];
  thoughts: number;
  readonly annotations: JsonObject[];
  finish: FinishReason | null;
}

/** Null for an event without text. */
export function channelOf(event: ChatEvent): Channel | null {
  switch (event.type) {
    case 'text-delta':
      return 'text';
    case 'reasoning-delta':
      return 'reasoning';
    case 'refusal-delta':
      return 'refusal';
    default:
      return null;
  }
}

/** The reason why no other deployment can continue here: the content cannot be compared, or must not be joined. */
function obstacleIn(event: ChatEvent): string | null {
  switch (event.type) {
    case 'tool-call-start':
    case 'tool-call-delta':
      return 'a tool call has begun';
    case 'audio-delta':
      return 'sound has been sent';
    case 'image':
      return 'a picture has been sent';
    case 'vendor':
      return 'something that only one vendor says has been sent';
    case 'text-delta':
    case 'refusal-delta':
      return event.logprobs === undefined ? null : 'log probabilities have been sent';
    default:
      return null;
  }
}

export class DeliveredContent {
  readonly #choices = new Map<number, OpenChoice>();
  #obstacle: string | null = null;

  /** The content delivered so far, by choice. A copy: later content is not in it. */
  soFar(): ReadonlyMap<number, DeliveredChoice> {
    return new Map(
      [...this.#choices].map(([index, { segments, thoughts, annotations, finish }]) => [
        index,
        { segments: segments.map((each) => ({ ...each })), thoughts, annotations: [...annotations], finish },
      ]),
    );
  }

  /** The reason why no other attempt can continue here; null while one can. */
  get obstacle(): string | null {
    return this.#obstacle;
  }

  #choice(index: number): OpenChoice {
    let choice = this.#choices.get(index);
    if (choice === undefined) this.#choices.set(index, (choice = { segments: [], thoughts: 0, annotations: [], finish: null }));
    return choice;
  }

  add(events: readonly ChatEvent[]): void {
    for (const event of events) {
      this.#obstacle ??= obstacleIn(event);
      const channel = channelOf(event);
      if (channel !== null) this.#say(event as Extract<ChatEvent, { type: 'text-delta' }>, channel);
      else if (event.type === 'thought') this.#choice(event.choice).thoughts++;
      else if (event.type === 'annotation') this.#choice(event.choice).annotations.push(event.annotation);
      else if (event.type === 'finish') this.#choice(event.choice).finish = event.reason;
    }
  }

  #say({ choice, text }: { readonly choice: number; readonly text: string }, channel: Channel): void {
    if (text === '') return;
    const { segments } = this.#choice(choice);
    const last = segments.at(-1);
    if (last?.channel === channel) last.text += text;
    else segments.push({ channel, text });
  }

  /** The text of the only choice when nothing else was delivered; null otherwise. */
  get plainText(): string | null {
    const only = this.#choices.get(0);
    if (only === undefined || this.#choices.size > 1 || only.segments.length !== 1) return null;
    const [segment] = only.segments;
    return segment?.channel === 'text' && only.thoughts === 0 && only.annotations.length === 0 ? segment.text : null;
  }
}

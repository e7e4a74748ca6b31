/** One model call of the tool loop: what the caller may see passes on, calls of server-side tools are kept back. */
import type { ChatEvent, ChatEvents, FinishReason } from '../../types/chat.ts';
import type { JsonObject } from '../../types/json.ts';

export interface RoundCall {
  /** The vendor's. */
  readonly id: string;
  /** What the caller sees it under: vendors give the same ids in other conversations again. */
  readonly shown: string;
  readonly name: string;
  readonly kind: 'custom' | 'legacy' | 'function';
  arguments: string;
}

export interface Round {
  readonly text: string;
  /** What the model thought, in the fields of a message in which some vendors want it back with its calls. */
  readonly thoughts: JsonObject;
  /** In the order in which the model made them, the caller's own functions included. */
  readonly calls: readonly RoundCall[];
  readonly reason: FinishReason;
}

export interface RoundOptions {
  /** True for a tool whose calls the caller must not see. */
  readonly isHidden: (name: string) => boolean;
  /** Later rounds do not start the answer again. */
  readonly isFirst: boolean;
  /** The id under which the caller sees a call, by its place. */
  readonly shownId: (call: number) => string;
}

/** Reads one answer to its end. Its `finish` and `response-end` are the loop's to send. */
export async function* readRound(
  events: ChatEvents,
  { isHidden, isFirst, shownId }: RoundOptions,
): AsyncGenerator<readonly ChatEvent[], Round> {
  const calls = new Map<number, RoundCall>();
  const hidden = new Set<number>();
  const details: JsonObject[] = [];
  let text = '';
  let reasoning = '';
  let reason: FinishReason = 'stop';
  for await (const batch of events) {
    const visible: ChatEvent[] = [];
    for (const event of batch) {
      switch (event.type) {
        case 'tool-call-start':
          {
            // The oldest form of a call has no id on the wire.
            const shown = event.kind === 'legacy' ? event.id : shownId(event.call);
            calls.set(event.call, { id: event.id, shown, name: event.name, kind: event.kind ?? 'function', arguments: '' });
            if (isHidden(event.name)) hidden.add(event.call);
            else visible.push({ ...event, id: shown });
          }
          break;
        case 'tool-call-delta': {
          const call = calls.get(event.call);
          if (call !== undefined) call.arguments += event.arguments;
          if (!hidden.has(event.call)) visible.push(event);
          break;
        }
        case 'finish':
          reason = event.reason;
          break;
        case 'response-end':
          break;
        case 'response-start':
          if (isFirst) visible.push(event);
          break;
        default:
          if (event.type === 'text-delta') text += event.text;
          else if (event.type === 'reasoning-delta') reasoning += event.text;
          else if (event.type === 'thought') details.push(event.detail);
          visible.push(event);
      }
    }
    if (visible.length > 0) yield visible;
  }
  const thoughts = {
    ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
    ...(details.length === 0 ? {} : { reasoning_details: details }),
  };
  return { text, thoughts, calls: [...calls.values()], reason };
}

/** Reads one model answer of the tool loop: passes visible events on and holds back calls of server-side tools. */
import type { ChatEvent, ChatEvents, FinishReason } from '../../types/chat.ts';
import type { JsonObject } from '../../types/json.ts';

export interface RoundCall {
  /** The vendor's id. */
  readonly id: string;
  /** The id that the client sees. Vendors reuse ids across conversations. */
  readonly shown: string;
  readonly name: string;
  readonly kind: 'custom' | 'legacy' | 'function';
  arguments: string;
}

export interface Round {
  readonly text: string;
  /** Reasoning fields that some vendors require back with the calls. */
  readonly thoughts: JsonObject;
  /** All calls in the model's order, the caller's own included. */
  readonly calls: readonly RoundCall[];
  readonly reason: FinishReason;
}

export interface RoundOptions {
  /** True for a tool whose calls are not shown to the client. */
  readonly isHidden: (name: string) => boolean;
  /** False in later rounds, which emit no second `response-start`. */
  readonly isFirst: boolean;
  /** The id that the client sees for the call at this index. */
  readonly shownId: (call: number) => string;
}

/** Reads one answer to its end. The loop emits `finish` and `response-end`. */
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
            // A legacy function call has no id on the wire.
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

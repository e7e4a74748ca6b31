/** Tool calls of one choice, from deltas that may omit or repeat id, index or name. */
import type { ChatEvent, FinishReason } from '../../../types/chat.ts';
import { GatewayError } from '../../../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { CallIds } from '../../call-ids.ts';

interface Call {
  readonly number: number;
  /** The vendor's own index and id, to recognise the call; null when absent. */
  readonly index: number | null;
  vendorId: string | null;
  name: string;
  readonly kind: 'function' | 'custom' | 'legacy';
  started: boolean;
  /** Arguments that arrived before the name. */
  held: string;
}

/** Tools that some vendors execute themselves and report as calls: Zhipu, StepFun, xAI, OpenRouter. */
const hostedType =
  /^(web_search|web_browser|x_search|code_interpreter|code_execution|file_search|retrieval|collections_search|drawing_tool|image_generation|mcp)(_call|_tool_use)?$/;

/** True when the vendor already executed this call: the caller does not get it. */
function isHosted(delta: JsonObject): boolean {
  return typeof delta['type'] === 'string' && hostedType.test(delta['type']);
}

function identifier(value: Json | undefined): string | null {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : null;
}

function argumentText(value: Json | undefined): string {
  if (typeof value === 'string') return value;
  return isJsonObject(value) ? JSON.stringify(value) : '';
}

export class ToolCallReader {
  readonly #choice: number;
  readonly #calls: Call[] = [];
  #ids: CallIds | null = null;
  /** The vendor's indexes of calls that it executes itself. */
  #hosted: Set<number> | null = null;
  /** The names and arguments of all calls, for an estimate of their tokens. */
  text = '';

  constructor(choice: number) {
    this.#choice = choice;
  }

  read(delta: JsonObject, events: ChatEvent[]): void {
    const place = typeof delta['index'] === 'number' ? delta['index'] : undefined;
    if (isHosted(delta)) {
      if (place !== undefined) (this.#hosted ??= new Set()).add(place);
      return;
    }
    // Later deltas of such a call have no type.
    if (place !== undefined && this.#hosted?.has(place) === true) {
      if (typeof delta['type'] !== 'string' && identifier(delta['id']) === null) return;
      this.#hosted.delete(place);
    }
    const custom = isJsonObject(delta['custom']) ? delta['custom'] : null;
    const body = custom ?? (isJsonObject(delta['function']) ? delta['function'] : {});
    const given = delta['index'];
    const index = typeof given === 'number' && Number.isSafeInteger(given) ? given : null;
    const id = identifier(delta['id']);
    const name = typeof body['name'] === 'string' ? body['name'] : '';
    const call =
      this.#known(index, id, name) ?? this.#open(index, id, custom === null && delta['type'] !== 'custom' ? 'function' : 'custom');
    call.vendorId ??= id;
    this.#continue(call, name, argumentText(custom === null ? body['arguments'] : body['input']), events);
  }

  readLegacy(delta: JsonObject, events: ChatEvent[]): void {
    const call = this.#calls.find((each) => each.kind === 'legacy') ?? this.#open(null, null, 'legacy');
    this.#continue(call, typeof delta['name'] === 'string' ? delta['name'] : '', argumentText(delta['arguments']), events);
  }

  /** The call that a delta continues. The same index with another id and a name is a new call, because some gateways do not count calls. */
  #known(index: number | null, id: string | null, name: string): Call | undefined {
    if (index !== null) {
      const call = this.#calls.findLast((each) => each.index === index);
      const other = call !== undefined && id !== null && call.vendorId !== null && call.vendorId !== id && name !== '';
      return other ? undefined : call;
    }
    if (id !== null) return this.#calls.find((each) => each.vendorId === id);
    return name === '' ? this.#calls.at(-1) : undefined;
  }

  #open(index: number | null, vendorId: string | null, kind: Call['kind']): Call {
    const call: Call = { number: this.#calls.length, index, vendorId, name: '', kind, started: false, held: '' };
    this.#calls.push(call);
    return call;
  }

  #continue(call: Call, name: string, text: string, events: ChatEvent[]): void {
    this.text += call.started ? text : name + text;
    if (!call.started) {
      call.held += text;
      if (name === '') return;
      call.started = true;
      call.name = name;
      const id = (this.#ids ??= new CallIds()).take(call.vendorId);
      const start = { type: 'tool-call-start', choice: this.#choice, call: call.number, id, name } as const;
      events.push(call.kind === 'function' ? start : { ...start, kind: call.kind });
      if (call.held !== '') events.push({ type: 'tool-call-delta', choice: this.#choice, call: call.number, arguments: call.held });
      call.held = '';
    } else if (text !== '') events.push({ type: 'tool-call-delta', choice: this.#choice, call: call.number, arguments: text });
  }

  /** Ends the choice. Throws for a call without a name. */
  finish(): void {
    if (this.#calls.some((call) => !call.started)) {
      throw new GatewayError('upstream_invalid_response', 'The vendor sent a tool call without a name. Try again.');
    }
  }

  /** `reason`, corrected to agree with the calls: vendors, including OpenAI, sometimes end calls with "stop". */
  correctReason(reason: FinishReason): FinishReason {
    if (reason !== 'stop' && reason !== 'tool_calls' && reason !== 'function_call') return reason;
    if (this.#calls.some((call) => call.kind !== 'legacy')) return 'tool_calls';
    return this.#calls.length > 0 ? 'function_call' : 'stop';
  }
}

/** The function calls of one candidate, whole or streamed in parts. They are numbered over the whole answer and mostly have no ids. */
import type { ChatEvent } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { invalidAnswer } from '../../answer-json.ts';
import { CallIds } from '../../call-ids.ts';
import { PartialArguments } from './partial-arguments.ts';

export class FunctionCallReader {
  readonly #choice: number;
  readonly #ids = new CallIds();
  #count = 0;
  /** The call whose arguments are still arriving. */
  #open: PartialArguments | null = null;

  constructor(choice: number) {
    this.#choice = choice;
  }

  get any(): boolean {
    return this.#count > 0;
  }

  /** Returns the id of the call that starts with this part; undefined when the part continues a call. */
  read(call: JsonObject, events: ChatEvent[]): string | undefined {
    const name = typeof call['name'] === 'string' ? call['name'] : '';
    const goesOn = call['willContinue'] === true;
    const parts = Array.isArray(call['partialArgs']) ? (call['partialArgs'] as readonly Json[]) : null;
    if (name === '') {
      if (this.#open === null) throw invalidAnswer('a tool call without a name');
      this.#add(this.#open.write(parts ?? []), events);
      if (!goesOn) this.close(events);
      return undefined;
    }
    this.close(events);
    const id = this.#ids.take(call['id']);
    events.push({ type: 'tool-call-start', choice: this.#choice, call: this.#count++, id, name });
    if (parts !== null || (goesOn && !isJsonObject(call['args']))) {
      this.#open = new PartialArguments();
      this.#add(this.#open.write(parts ?? []), events);
      if (!goesOn) this.close(events);
    } else this.#add(JSON.stringify(isJsonObject(call['args']) ? call['args'] : {}), events);
    return id;
  }

  /** Completes the arguments of the open call. */
  close(events: ChatEvent[]): void {
    if (this.#open === null) return;
    this.#add(this.#open.end(), events);
    this.#open = null;
  }

  #add(text: string, events: ChatEvent[]): void {
    if (text !== '') events.push({ type: 'tool-call-delta', choice: this.#choice, call: this.#count - 1, arguments: text });
  }
}

/**
 * Reads `reasoning_details`, in which OpenRouter and MiniMax send thoughts. Their text counts as reasoning where the answer has it nowhere
 * else; what only the vendor can read (signatures, encrypted blocks) becomes `thought` events at the end of the choice.
 */
import type { ChatEvent } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';

/** Members that arrive in pieces. */
const pieces = ['text', 'summary', 'data', 'signature'];
const opaque = ['data', 'signature'];

/** The new part of a text that a vendor sends in pieces or repeats from its beginning. */
function added(known: string, piece: string): string {
  return known.length > 0 && piece.length > known.length && piece.startsWith(known) ? piece.slice(known.length) : piece;
}

export class ReasoningDetails {
  /** By index, else by position in the list. */
  readonly #details = new Map<number, Record<string, Json | undefined>>();

  /** Adds the entries and returns their new text. */
  read(entries: readonly Json[]): string {
    let text = '';
    for (const [position, entry] of entries.entries()) {
      if (!isJsonObject(entry)) continue;
      const place = typeof entry['index'] === 'number' ? entry['index'] : position;
      const known = this.#details.get(place);
      if (known === undefined) {
        this.#details.set(place, { ...entry });
        const whole = entry['text'] ?? entry['summary'];
        if (typeof whole === 'string') text += whole;
        continue;
      }
      for (const [member, value] of Object.entries(entry)) {
        const before = known[member];
        if (!pieces.includes(member) || typeof value !== 'string' || typeof before !== 'string') {
          if (value !== null) known[member] = value;
          continue;
        }
        const piece = opaque.includes(member) ? value : added(before, value);
        known[member] = before + piece;
        if (!opaque.includes(member)) text += piece;
      }
    }
    return text;
  }

  /** The entries with members that only their vendor can read. */
  thoughts(choice: number): ChatEvent[] {
    const details = [...this.#details.values()].filter((detail) => opaque.some((member) => typeof detail[member] === 'string'));
    return details.map((detail) => ({ type: 'thought', choice, detail: detail as JsonObject }));
  }
}

/** Turns that alternate between user and assistant, for vendors without other roles. */
import type { JsonObject } from '../../types/json.ts';

export interface Turn extends JsonObject {
  readonly role: 'user' | 'assistant';
  readonly content: readonly JsonObject[];
}

interface OpenTurn {
  readonly role: Turn['role'];
  readonly first: JsonObject[];
  readonly rest: JsonObject[];
}

/** Merges consecutive messages of one role into one turn. Tool results and reasoning come first in it. */
export class TurnBuilder {
  readonly #turns: OpenTurn[] = [];

  add(role: Turn['role'], first: readonly JsonObject[], rest: readonly JsonObject[]): void {
    // Every vendor refuses an empty turn.
    if (first.length === 0 && rest.length === 0) return;
    const last = this.#turns.at(-1);
    if (last?.role === role) {
      last.first.push(...first);
      last.rest.push(...rest);
    } else this.#turns.push({ role, first: [...first], rest: [...rest] });
  }

  end(): Turn[] {
    return this.#turns.map(({ role, first, rest }) => ({ role, content: [...first, ...rest] }));
  }
}

/** A tool-call id in Claude's character set; ids of other vendors may hold any character. */
export function plainId(id: string): string {
  return id === '' ? 'call' : id.replace(/[^a-zA-Z0-9_-]/g, '_');
}

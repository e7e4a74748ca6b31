/** Turns that alternate between user and assistant, as vendors want them who know no other roles. */
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

/** What follows in the same role becomes one turn. Results of tools, and thoughts, come first in theirs. */
export class TurnBuilder {
  readonly #turns: OpenTurn[] = [];

  add(role: Turn['role'], first: readonly JsonObject[], rest: readonly JsonObject[]): void {
    // A turn that says nothing is refused everywhere.
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

/** The id of a tool call as Claude takes it; other vendors' ids may hold anything. */
export function plainId(id: string): string {
  return id === '' ? 'call' : id.replace(/[^a-zA-Z0-9_-]/g, '_');
}

/** Ids of the tool calls in one answer. */
import { randomUUID } from 'node:crypto';
import type { Json } from '../types/json.ts';

export class CallIds {
  readonly #used = new Set<string>();

  /** The vendor's id, or a new one when it is missing or already used. */
  take(given: Json | undefined): string {
    const usable = typeof given === 'string' && given !== '' && !this.#used.has(given);
    const id = usable ? given : `call_${randomUUID().replaceAll('-', '')}`;
    this.#used.add(id);
    return id;
  }
}

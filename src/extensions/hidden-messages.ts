/**
 * Messages that a caller does not see: of a round in which the model called its functions and server-side tools together.
 * Kept on this node for ten minutes and found again by the ids of the caller's calls.
 */
import { LRUCache } from 'lru-cache';
import type { Principal } from '../types/access.ts';
import type { JsonObject } from '../types/json.ts';

interface Hidden {
  readonly assistant: JsonObject;
  readonly results: readonly JsonObject[];
}

const store = new LRUCache<string, Hidden>({ max: 1_000, ttl: 600_000 });

function keyOf(principal: Principal, callId: string): string {
  return JSON.stringify([principal.tenant, principal.issuer, principal.subject, callId]);
}

export const hiddenMessages = {
  /** `assistant` is the model's message with all its calls, `results` the answers of the server-side ones. */
  keep(principal: Principal, callIds: readonly string[], assistant: JsonObject, results: readonly JsonObject[]): void {
    for (const id of callIds) store.set(keyOf(principal, id), { assistant, results });
  },

  /** The conversation with each shortened assistant message replaced by the whole one and the hidden results put behind it. */
  restore(principal: Principal, messages: readonly JsonObject[]): readonly JsonObject[] {
    return messages.flatMap((message) => {
      const calls = message['tool_calls'];
      if (message['role'] !== 'assistant' || !Array.isArray(calls)) return [message];
      const first = calls[0] as JsonObject | undefined;
      const hidden = typeof first?.['id'] === 'string' ? store.get(keyOf(principal, first['id'])) : undefined;
      return hidden === undefined ? [message] : [hidden.assistant, ...hidden.results];
    });
  },
};

/**
 * Messages that a caller does not see: the rounds of server-side tools before and beside calls of its own functions.
 * Kept on this node for ten minutes and found again by the ids of the caller's calls.
 */
import { LRUCache } from 'lru-cache';
import type { Principal } from '../types/access.ts';
import { isJsonObject, type Json, type JsonObject } from '../types/json.ts';

interface Hidden {
  /** What the caller's own calls must be: vendors give the same id again in other conversations. */
  readonly fingerprint: string;
  readonly messages: readonly JsonObject[];
}

const store = new LRUCache<string, Hidden>({ max: 1_000, ttl: 600_000 });

function keyOf(principal: Principal, callId: string): string {
  return JSON.stringify([principal.tenant, principal.issuer, principal.subject, callId]);
}

function sorted(value: Json | undefined): Json {
  if (Array.isArray(value)) return value.map((each: Json) => sorted(each));
  if (!isJsonObject(value)) return value ?? null;
  return Object.entries(value)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, inner]) => [key, sorted(inner)]);
}

/** Client libraries parse arguments and write them anew: space and order do not count. */
function comparable(given: unknown): Json {
  if (typeof given !== 'string' || given === '') return [];
  try {
    return sorted(JSON.parse(given) as Json);
  } catch {
    return given;
  }
}

function fingerprintOf(calls: readonly JsonObject[]): string {
  return JSON.stringify(
    calls.map((call) => {
      const body = isJsonObject(call['function']) ? call['function'] : isJsonObject(call['custom']) ? call['custom'] : {};
      return [call['id'] ?? null, body['name'] ?? null, comparable(body['arguments'] ?? body['input'])];
    }),
  );
}

export const hiddenMessages = {
  /** `calls` are the caller's own in its shape; `messages` what stands in the place of its message with them. */
  keep(principal: Principal, calls: readonly JsonObject[], messages: readonly JsonObject[]): void {
    const hidden: Hidden = { fingerprint: fingerprintOf(calls), messages };
    for (const { id } of calls) if (typeof id === 'string') store.set(keyOf(principal, id), hidden);
  },

  /** The conversation with each shortened assistant message replaced by the hidden ones. */
  restore(principal: Principal, messages: readonly JsonObject[]): readonly JsonObject[] {
    return messages.flatMap((message) => {
      const calls: unknown = message['tool_calls'];
      if (message['role'] !== 'assistant' || !Array.isArray(calls) || !calls.every(isJsonObject)) return [message];
      const id = calls[0]?.['id'];
      const hidden = typeof id === 'string' ? store.get(keyOf(principal, id)) : undefined;
      return hidden !== undefined && hidden.fingerprint === fingerprintOf(calls) ? hidden.messages : [message];
    });
  },
};

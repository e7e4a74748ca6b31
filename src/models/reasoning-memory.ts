/**
 * Remembers reasoning that a vendor requires again in the next turn, for clients that drop members beyond OpenAI's schema. Tool-call ids
 * find it, because every client keeps them. It is kept for an hour on this node, and on all nodes where they share a store. Reasoning that
 * the client sends takes precedence.
 */
import { LRUCache } from 'lru-cache';
import { entryLimit } from '../types/entry-limit.ts';
import type { ChatBody, ChatEvent, ChatRequest } from '../types/chat.ts';
import { isJsonObject, type JsonObject } from '../types/json.ts';
import { type SharedThoughts, thoughtsKeptMs } from '../types/shared-thoughts.ts';

interface Thoughts {
  readonly reasoning: string;
  readonly details: readonly JsonObject[];
}

const maxBytes = 64 * 1024 * 1024;
const memory = new LRUCache<string, Thoughts>({
  maxSize: maxBytes,
  ttl: thoughtsKeptMs,
  sizeCalculation: (thoughts) =>
    200 + thoughts.reasoning.length + thoughts.details.reduce((sum, each) => sum + JSON.stringify(each).length, 0),
});

const keyOf = (scope: string, callId: string): string => `${scope}\n${callId}`;

function find(scope: string, message: JsonObject): Thoughts | undefined {
  const calls = message['tool_calls'];
  if (message['role'] !== 'assistant' || !Array.isArray(calls)) return undefined;
  for (const call of calls as readonly unknown[]) {
    const id = isJsonObject(call) ? call['id'] : undefined;
    const found = typeof id === 'string' ? memory.get(keyOf(scope, id)) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Calls of earlier turns that the shared store does not know. */
const unknown = new LRUCache<string, true>({ ...entryLimit(100_000), ttl: 600_000 });

/** The key of the shared text of a turn: its first call. */
function sharedKeyOf(scope: string, message: JsonObject): string | undefined {
  const calls = message['tool_calls'];
  const first: unknown = message['role'] === 'assistant' && Array.isArray(calls) ? calls[0] : undefined;
  const id = isJsonObject(first) ? first['id'] : undefined;
  return typeof id === 'string' ? keyOf(scope, id) : undefined;
}

function isThoughts(value: unknown): value is Thoughts {
  return isJsonObject(value) && typeof value['reasoning'] === 'string' && Array.isArray(value['details']);
}

async function fetchThoughts(keys: readonly string[], latest: string | undefined, shared: SharedThoughts): Promise<void> {
  const found = await shared.read(keys);
  for (const key of keys) {
    const text = found.get(key);
    if (text === undefined) {
      // The latest turn may still be on its way to the store.
      if (key !== latest) unknown.set(key, true);
      continue;
    }
    const thoughts: unknown = JSON.parse(text);
    if (isThoughts(thoughts)) memory.set(key, thoughts);
  }
}

/** Fetches reasoning of other nodes for turns that have none here and in the request. Null when nothing is missing. */
export function fetchReasoning(scope: string, { body }: ChatRequest, shared: SharedThoughts): Promise<void> | null {
  const missing: string[] = [];
  let latest: string | undefined;
  for (const message of body.messages) {
    if (message['reasoning_content'] !== undefined || message['reasoning_details'] !== undefined) continue;
    const key = sharedKeyOf(scope, message);
    if (key === undefined || memory.has(key)) continue;
    latest = key;
    if (!unknown.has(key)) missing.push(key);
  }
  return missing.length === 0 ? null : fetchThoughts(missing, latest, shared);
}

/** The request with remembered reasoning where the client left it out; the same object when nothing is added. */
export function restoreReasoning(scope: string, request: ChatRequest): ChatRequest {
  let changed = false;
  const messages = request.body.messages.map((message) => {
    const known = find(scope, message);
    if (known === undefined) return message;
    const added = {
      ...(known.reasoning === '' || message['reasoning_content'] !== undefined ? {} : { reasoning_content: known.reasoning }),
      ...(known.details.length === 0 || message['reasoning_details'] !== undefined ? {} : { reasoning_details: known.details }),
    };
    if (Object.keys(added).length === 0) return message;
    changed = true;
    return { ...message, ...added };
  });
  if (!changed) return request;
  const body: ChatBody = { ...request.body, messages };
  const { raw: _stale, ...rest } = request;
  return { ...rest, body };
}

interface Turn {
  reasoning: string;
  readonly details: JsonObject[];
  readonly ids: string[];
}

/**
 * A function that is shown every batch of an answer and remembers the reasoning of each choice with tool calls, also in the shared store.
 */
export function reasoningRecorder(scope: string, shared: SharedThoughts | null = null): (batch: readonly ChatEvent[]) => void {
  const turns = new Map<number, Turn>();
  const turnOf = (choice: number): Turn => {
    let turn = turns.get(choice);
    if (turn === undefined) turns.set(choice, (turn = { reasoning: '', details: [], ids: [] }));
    return turn;
  };
  return (batch) => {
    for (const event of batch) {
      if (event.type === 'reasoning-delta') turnOf(event.choice).reasoning += event.text;
      else if (event.type === 'thought') turnOf(event.choice).details.push(event.detail);
      else if (event.type === 'tool-call-start') turnOf(event.choice).ids.push(event.id);
      else if (event.type === 'finish') {
        const turn = turns.get(event.choice);
        if (turn === undefined || (turn.reasoning === '' && turn.details.length === 0)) continue;
        const thoughts: Thoughts = { reasoning: turn.reasoning, details: turn.details };
        for (const id of turn.ids) memory.set(keyOf(scope, id), thoughts);
        const [first] = turn.ids;
        if (first !== undefined) shared?.keep(keyOf(scope, first), JSON.stringify(thoughts));
      }
    }
  };
}

/**
 * Remembers reasoning that a vendor requires again in the next turn, for clients that drop members beyond OpenAI's schema. It is kept on
 * this node for an hour and found by tool-call ids, which every client keeps. Reasoning that the client sends takes precedence.
 */
import { LRUCache } from 'lru-cache';
import type { ChatBody, ChatEvents, ChatRequest } from '../types/chat.ts';
import { isJsonObject, type JsonObject } from '../types/json.ts';

interface Thoughts {
  readonly reasoning: string;
  readonly details: readonly JsonObject[];
}

const maxBytes = 64 * 1024 * 1024;
const memory = new LRUCache<string, Thoughts>({
  maxSize: maxBytes,
  ttl: 3_600_000,
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

/** Forwards the events and remembers the reasoning of each choice with tool calls. */
export async function* rememberReasoning(scope: string, events: ChatEvents): ChatEvents & AsyncGenerator {
  const turns = new Map<number, Turn>();
  const turnOf = (choice: number): Turn => {
    let turn = turns.get(choice);
    if (turn === undefined) turns.set(choice, (turn = { reasoning: '', details: [], ids: [] }));
    return turn;
  };
  for await (const batch of events) {
    for (const event of batch) {
      if (event.type === 'reasoning-delta') turnOf(event.choice).reasoning += event.text;
      else if (event.type === 'thought') turnOf(event.choice).details.push(event.detail);
      else if (event.type === 'tool-call-start') turnOf(event.choice).ids.push(event.id);
      else if (event.type === 'finish') {
        const turn = turns.get(event.choice);
        if (turn === undefined || (turn.reasoning === '' && turn.details.length === 0)) continue;
        for (const id of turn.ids) memory.set(keyOf(scope, id), { reasoning: turn.reasoning, details: turn.details });
      }
    }
    yield batch;
  }
}

/**
 * Holds calls that wait for an answer to a server's question. A server of the session-based era asks during a call. A stateless client
 * answers with its next request. Until then the call is held on this node.
 */
import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../../../types/json.ts';
import { isJsonObject } from '../../../types/json.ts';
import type { ViewContext } from './mcp-view.ts';
import { type PeerMethod, SourceRefusal, type ToolResult } from '../../../types/tool-source.ts';

export interface PendingElicitations {
  /**
   * Runs `start` until its result or its next question. `holder` identifies the caller, `wanted` the tool and its input. `signal` aborts
   * the call only while its request is open; a request that ended with a question aborts nothing.
   */
  run(holder: string, wanted: string, context: ViewContext, start: (context: ViewContext) => Promise<ToolResult>): Promise<ToolResult>;
  /** Fails all held calls. */
  close(): void;
}

interface Question {
  readonly method: PeerMethod;
  readonly params: JsonObject;
  answer(response: JsonObject): void;
  fail(reason: Error): void;
}

interface Held {
  readonly id: string;
  readonly holder: string;
  readonly wanted: string;
  readonly questions: Map<string, Question>;
  readonly outcome: Promise<ToolResult>;
  readonly aborting: AbortController;
  asked: Promise<void>;
  ask: () => void;
  timer: NodeJS.Timeout | undefined;
}

const prefix = 'pailou-held:';
const heldMs = 600_000;
const mostHeld = 2_000;
const mostOfOne = 20;

function unknownState(): SourceRefusal {
  return new SourceRefusal('This node no longer holds the call that asked this question. Call the tool again.', -32_602, {
    reason: 'invalid_request_state',
  });
}

export function createPendingElicitations(): PendingElicitations {
  const held = new Map<string, Held>();

  const forget = (call: Held, reason: Error): void => {
    held.delete(call.id);
    clearTimeout(call.timer);
    for (const question of call.questions.values()) question.fail(reason);
    call.questions.clear();
  };

  const evict = (holder: string): void => {
    const own = [...held.values()].filter((call) => call.holder === holder);
    const eldest = own.length >= mostOfOne ? own[0] : held.size >= mostHeld ? [...held.values()][0] : undefined;
    if (eldest !== undefined) forget(eldest, new Error('Too many open questions; the oldest call was ended.'));
  };

  /** Resolves with the result, or with the open questions. */
  const next = async (call: Held, signal: AbortSignal): Promise<ToolResult> => {
    if (call.questions.size === 0) {
      const abort = (): void => call.aborting.abort(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      const done = await Promise.race([call.outcome, call.asked.then(() => null)]).finally(() =>
        signal.removeEventListener('abort', abort),
      );
      if (done !== null) return done;
    }
    call.asked = new Promise((resolve) => (call.ask = resolve));
    if (!held.has(call.id)) {
      evict(call.holder);
      held.set(call.id, call);
    }
    clearTimeout(call.timer);
    call.timer = setTimeout(() => forget(call, new Error('The question was not answered in time.')), heldMs);
    call.timer.unref();
    const inputRequests = Object.fromEntries([...call.questions].map(([key, { method, params }]) => [key, { method, params }]));
    return { resultType: 'input_required', inputRequests, requestState: `${prefix}${call.id}` } as unknown as ToolResult;
  };

  return {
    async run(holder, wanted, { peer, signal }, start) {
      const state = peer.requestState;
      if (state?.startsWith(prefix) === true) {
        const call = held.get(state.slice(prefix.length));
        if (call === undefined || call.holder !== holder || call.wanted !== wanted) throw unknownState();
        for (const [key, question] of call.questions) {
          const response = peer.inputResponses?.[key];
          if (!isJsonObject(response)) continue;
          call.questions.delete(key);
          question.answer(response);
        }
        return next(call, signal);
      }
      const id = randomUUID();
      let ask = (): void => {};
      const asked = new Promise<void>((resolve) => (ask = resolve));
      const questions = new Map<string, Question>();
      const aborting = new AbortController();
      const call: Held = {
        id,
        holder,
        wanted,
        questions,
        asked,
        ask,
        timer: undefined,
        aborting,
        outcome: start({
          signal: aborting.signal,
          peer: {
            ...peer,
            ask: (method, params, given) =>
              new Promise((answer, fail) => {
                const key = randomUUID();
                questions.set(key, { method, params, answer, fail });
                given.addEventListener(
                  'abort',
                  () => {
                    questions.delete(key);
                    fail(given.reason as Error);
                  },
                  { once: true },
                );
                call.ask();
              }),
          },
        }),
      };
      // A call that ends without an open request keeps its result for the client's next request.
      call.outcome
        .catch(() => {})
        .finally(() => {
          clearTimeout(call.timer);
          if (held.has(id)) setTimeout(() => held.delete(id), 60_000).unref();
        });
      return next(call, signal);
    },
    close() {
      for (const call of held.values()) forget(call, new Error('The gateway is shutting down.'));
    },
  };
}

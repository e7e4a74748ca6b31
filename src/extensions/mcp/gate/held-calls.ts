/**
 * Holds calls that wait for an answer to a server's question. A server of the session-based era asks during a call. A stateless client
 * answers with its next request. Until then the call is held on this node.
 */
import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../../../types/json.ts';
import { isJsonObject } from '../../../types/json.ts';
import type { ViewContext } from './mcp-view.ts';
import { type PeerMethod, SourceRefusal, type ToolResult } from '../../../types/tool-source.ts';

export interface HeldCalls {
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
  readonly leaving: AbortController;
  asked: Promise<void>;
  ask: () => void;
  timer: NodeJS.Timeout | undefined;
}

const prefix = 'pailou-held:';
const heldMs = 600_000;
const mostHeld = 2_000;
const mostOfOne = 20;

function lost(): SourceRefusal {
  return new SourceRefusal('The call that asked this is not held here any more. Call the tool again.', -32_602, {
    reason: 'invalid_request_state',
  });
}

export function createHeldCalls(): HeldCalls {
  const held = new Map<string, Held>();

  const forget = (call: Held, reason: Error): void => {
    held.delete(call.id);
    clearTimeout(call.timer);
    for (const question of call.questions.values()) question.fail(reason);
    call.questions.clear();
  };

  const makeRoom = (holder: string): void => {
    const own = [...held.values()].filter((call) => call.holder === holder);
    const eldest = own.length >= mostOfOne ? own[0] : held.size >= mostHeld ? [...held.values()][0] : undefined;
    if (eldest !== undefined) forget(eldest, new Error('Too many questions are open at once.'));
  };

  /** Resolves with the result, or with the open questions. */
  const next = async (call: Held, signal: AbortSignal): Promise<ToolResult> => {
    if (call.questions.size === 0) {
      const leave = (): void => call.leaving.abort(signal.reason);
      signal.addEventListener('abort', leave, { once: true });
      const done = await Promise.race([call.outcome, call.asked.then(() => null)]).finally(() =>
        signal.removeEventListener('abort', leave),
      );
      if (done !== null) return done;
    }
    call.asked = new Promise((resolve) => (call.ask = resolve));
    if (!held.has(call.id)) {
      makeRoom(call.holder);
      held.set(call.id, call);
    }
    clearTimeout(call.timer);
    call.timer = setTimeout(() => forget(call, new Error('Nobody has answered.')), heldMs);
    call.timer.unref();
    const inputRequests = Object.fromEntries([...call.questions].map(([key, { method, params }]) => [key, { method, params }]));
    return { resultType: 'input_required', inputRequests, requestState: `${prefix}${call.id}` } as unknown as ToolResult;
  };

  return {
    async run(holder, wanted, { peer, signal }, start) {
      const state = peer.requestState;
      if (state?.startsWith(prefix) === true) {
        const call = held.get(state.slice(prefix.length));
        if (call === undefined || call.holder !== holder || call.wanted !== wanted) throw lost();
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
      const leaving = new AbortController();
      const call: Held = {
        id,
        holder,
        wanted,
        questions,
        asked,
        ask,
        timer: undefined,
        leaving,
        outcome: start({
          signal: leaving.signal,
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
      for (const call of held.values()) forget(call, new Error('The gateway stops.'));
    },
  };
}

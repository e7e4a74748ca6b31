/** What the nodes tell each other of runs in the background: how each stands, and that somebody wants it to end. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ToolLoopStates, ToolLoopOwner } from '../../types/tool-loop-state.ts';
import type { JsonObject } from '../../types/json.ts';
import type { RunEvent } from './run-event-log.ts';

export interface CrossNodeRuns {
  /** As its node told it last; null for one that is unknown, somebody else's, or older than an hour. */
  read(owner: ToolLoopOwner, id: string): Promise<JsonObject | null>;
  /** Tells that it is under way. To be said again and again: a node that falls silent has lost its runs. */
  tellAlive(owner: ToolLoopOwner, standing: JsonObject): Promise<void>;
  tellEnd(owner: ToolLoopOwner, end: JsonObject): Promise<void>;
  /** For the node on which it runs to hear. */
  askToCancel(owner: ToolLoopOwner, id: string): Promise<void>;
  isAskedToCancel(owner: ToolLoopOwner, id: string): Promise<boolean>;
  /** `first`; where that is under way then each step that ends, and its end. */
  follow(owner: ToolLoopOwner, first: JsonObject, signal: AbortSignal): AsyncIterable<readonly RunEvent[]>;
}

/** A run of which nothing was heard for so long has lost its node. */
const lostAfterMs = 30_000;
const lookMs = 1_000;

const keyOf = (id: string): string => `run ${id}`;
const cancelKeyOf = (id: string): string => `cancel run ${id}`;

/** One whose node fell silent has failed. */
function asTold({ seen, ...state }: JsonObject): JsonObject {
  if (state['status'] !== 'running' || typeof seen !== 'number' || Date.now() - seen <= lostAfterMs) return state;
  return { ...state, status: 'failed', output: null, error: { code: 'internal_error', message: 'The node on which it ran is gone.' } };
}

/** The steps in what is told of a run, each once; two that look alike are two. */
function stepNews(): (state: JsonObject) => RunEvent[] {
  /** How often each was told. */
  const heard = new Map<string, number>();
  return ({ steps }) => {
    const seen = new Map<string, number>();
    return (Array.isArray(steps) ? (steps as readonly JsonObject[]) : []).flatMap((step) => {
      const text = JSON.stringify(step);
      const count = (seen.get(text) ?? 0) + 1;
      seen.set(text, count);
      if (count <= (heard.get(text) ?? 0)) return [];
      heard.set(text, count);
      return [{ name: 'step', data: step }];
    });
  };
}

export function createCrossNodeRuns(states: ToolLoopStates): CrossNodeRuns {
  const read = async (owner: ToolLoopOwner, id: string): Promise<JsonObject | null> => {
    const state = (await states.read(owner, [keyOf(id)])).get(keyOf(id));
    return state === undefined ? null : asTold(state);
  };
  const tell = (owner: ToolLoopOwner, state: JsonObject): Promise<void> => states.keep(owner, [keyOf(state['id'] as string)], state);
  return {
    read,
    tellAlive: (owner, standing) => tell(owner, { ...standing, seen: Date.now() }),
    tellEnd: tell,
    askToCancel: (owner, id) => states.keep(owner, [cancelKeyOf(id)], { cancel: true }),
    isAskedToCancel: async (owner, id) => (await states.read(owner, [cancelKeyOf(id)])).has(cancelKeyOf(id)),
    async *follow(owner, first, signal) {
      let state = first;
      const freshSteps = stepNews();
      if (state['status'] === 'running') {
        const { steps: _steps, ...started } = state;
        yield [{ name: 'started', data: started }];
      }
      while (state['status'] === 'running') {
        yield freshSteps(state);
        await sleep(lookMs, undefined, { signal }).catch(() => signal.throwIfAborted());
        state = (await read(owner, state['id'] as string)) ?? { ...state, status: 'failed' };
      }
      // Of one that had ended before, its end says it all.
      yield [...(state === first ? [] : freshSteps(state)), { name: state['status'] as string, data: state }];
    },
  };
}

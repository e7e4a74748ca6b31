/** Shares background runs between nodes: their states and requests to cancel them. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ToolLoopStates, ToolLoopOwner } from '../../types/tool-loop-state.ts';
import type { JsonObject } from '../../types/json.ts';
import type { RunEvent } from './run-event-log.ts';

export interface CrossNodeRuns {
  /** The last published state. Null for a run that is unknown, of another owner, or older than an hour. */
  read(owner: ToolLoopOwner, id: string): Promise<JsonObject | null>;
  /** Publishes that the run is in progress. Must be repeated: without updates other nodes consider the run lost. */
  publishAlive(owner: ToolLoopOwner, state: JsonObject): Promise<void>;
  publishEnd(owner: ToolLoopOwner, end: JsonObject): Promise<void>;
  /** Requests the node of the run to cancel it. */
  requestCancel(owner: ToolLoopOwner, id: string): Promise<void>;
  isCancelRequested(owner: ToolLoopOwner, id: string): Promise<boolean>;
  /** Yields `first`. While the run is in progress: each step that ends, then the end. */
  follow(owner: ToolLoopOwner, first: JsonObject, signal: AbortSignal): AsyncIterable<readonly RunEvent[]>;
}

/** A run without an update for this time is lost with its node. */
const lostAfterMs = 30_000;
const pollMs = 1_000;

const keyOf = (id: string): string => `run ${id}`;
const cancelKeyOf = (id: string): string => `cancel run ${id}`;

/** Marks a run as failed when its node has stopped publishing. */
function withLostNode({ seen, ...state }: JsonObject): JsonObject {
  if (state['status'] !== 'running' || typeof seen !== 'number' || Date.now() - seen <= lostAfterMs) return state;
  return { ...state, status: 'failed', output: null, error: { code: 'node_lost', message: 'The node of the run has stopped.' } };
}

/** Returns the steps that were not returned before. Equal steps are counted, not merged. */
function createStepFilter(): (state: JsonObject) => RunEvent[] {
  /** How often each step was returned. */
  const returned = new Map<string, number>();
  return ({ steps }) => {
    const seen = new Map<string, number>();
    return (Array.isArray(steps) ? (steps as readonly JsonObject[]) : []).flatMap((step) => {
      const text = JSON.stringify(step);
      const count = (seen.get(text) ?? 0) + 1;
      seen.set(text, count);
      if (count <= (returned.get(text) ?? 0)) return [];
      returned.set(text, count);
      return [{ name: 'step', data: step }];
    });
  };
}

export function createCrossNodeRuns(states: ToolLoopStates): CrossNodeRuns {
  const read = async (owner: ToolLoopOwner, id: string): Promise<JsonObject | null> => {
    const state = (await states.read(owner, [keyOf(id)])).get(keyOf(id));
    return state === undefined ? null : withLostNode(state);
  };
  const publish = (owner: ToolLoopOwner, state: JsonObject): Promise<void> => states.keep(owner, [keyOf(state['id'] as string)], state);
  return {
    read,
    publishAlive: (owner, state) => publish(owner, { ...state, seen: Date.now() }),
    publishEnd: publish,
    requestCancel: (owner, id) => states.keep(owner, [cancelKeyOf(id)], { cancel: true }),
    isCancelRequested: async (owner, id) => (await states.read(owner, [cancelKeyOf(id)])).has(cancelKeyOf(id)),
    async *follow(owner, first, signal) {
      let state = first;
      const newSteps = createStepFilter();
      if (state['status'] === 'running') {
        const { steps: _steps, ...started } = state;
        yield [{ name: 'started', data: started }];
      }
      while (state['status'] === 'running') {
        yield newSteps(state);
        await sleep(pollMs, undefined, { signal }).catch(() => signal.throwIfAborted());
        state = (await read(owner, state['id'] as string)) ?? { ...state, status: 'failed' };
      }
      // For a run that had already ended, its end contains everything.
      yield [...(state === first ? [] : newSteps(state)), { name: state['status'] as string, data: state }];
    },
  };
}

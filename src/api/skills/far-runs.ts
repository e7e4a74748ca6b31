/** What other nodes say of their runs, and of those that have ended. Each node writes down how its own stand, every few seconds and after each step. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChatStates, StateOwner } from '../../types/chat-state.ts';
import type { JsonObject } from '../../types/json.ts';

export interface RunNews {
  readonly name: string;
  readonly data: JsonObject;
}

const tickMs = 1_000;
/** A run of which nothing was heard for so long has lost its node. */
const lostAfterMs = 30_000;

const keyOf = (id: string): string => `run ${id}`;

/** A run that fell silent has failed. */
function asTold({ seen, ...state }: JsonObject): JsonObject {
  if (state['status'] !== 'running' || typeof seen !== 'number' || Date.now() - seen <= lostAfterMs) return state;
  return { ...state, status: 'failed', output: null, error: { code: 'internal_error', message: 'The node on which it ran is gone.' } };
}

/** Writes down how a run stands, or how it ended. */
export function keepRun(states: ChatStates, owner: StateOwner, id: string, state: JsonObject): Promise<void> {
  return states.keep(owner, [keyOf(id)], state['status'] === 'running' ? { ...state, seen: Date.now() } : state);
}

/** As it was last written down; null for one that is unknown, somebody else's, or older than an hour. */
export async function readRun(states: ChatStates, owner: StateOwner, id: string): Promise<JsonObject | null> {
  const state = (await states.read(owner, [keyOf(id)])).get(keyOf(id));
  return state === undefined ? null : asTold(state);
}

/** Follows a run from `first` on by what is written down: its beginning, each step that has ended, and its end. */
export async function* followFar(
  states: ChatStates,
  owner: StateOwner,
  first: JsonObject,
  signal: AbortSignal,
): AsyncGenerator<readonly RunNews[]> {
  const heard = new Set<string>();
  const freshSteps = ({ steps }: JsonObject): RunNews[] =>
    (Array.isArray(steps) ? (steps as readonly JsonObject[]) : []).flatMap((step) => {
      const text = JSON.stringify(step);
      if (heard.has(text)) return [];
      heard.add(text);
      return [{ name: 'step', data: step }];
    });
  let state = first;
  if (state['status'] === 'running') {
    const { steps: _steps, ...started } = state;
    yield [{ name: 'started', data: started }];
  }
  while (state['status'] === 'running') {
    const news = freshSteps(state);
    if (news.length > 0) yield news;
    await sleep(tickMs, undefined, { signal });
    state = (await readRun(states, owner, state['id'] as string)) ?? { ...state, status: 'failed' };
  }
  // Of one that had ended before, its end says it all.
  yield [...(state === first ? [] : freshSteps(state)), { name: state['status'] as string, data: state }];
}

/** A run reported by another node: each step once, even when two steps are equal. */
import { expect, it } from 'vitest';
import { createCrossNodeRuns } from '../../../src/application/background/cross-node-runs.ts';
import type { ToolLoopStates } from '../../../src/types/tool-loop-state.ts';
import type { JsonObject } from '../../../src/types/json.ts';

const owner = { tenant: 'acme', issuer: 'i', subject: 'ann' };
const step = { id: 'parts joined 1/1', kind: 'progress', capability: 'parts joined', status: 'completed' };

it('reports two equal steps twice, and no step again', async () => {
  const kept = new Map<string, JsonObject>();
  const states: Pick<ToolLoopStates, 'keep' | 'read'> = {
    keep: async (_owner, ids, state) => ids.forEach((id) => kept.set(id, state)),
    read: async (_owner, ids) => new Map([...kept].filter(([id]) => ids.includes(id))),
  };
  const elsewhere = createCrossNodeRuns(states as ToolLoopStates);
  const running = { id: 'run', status: 'running', steps: [step] };
  await elsewhere.publishAlive(owner, running);
  const names: string[] = [];
  for await (const news of elsewhere.follow(owner, running, new AbortController().signal)) {
    names.push(...news.map(({ name }) => name));
    if (names.length === 2) await elsewhere.publishEnd(owner, { id: 'run', status: 'completed', steps: [step, step] });
  }
  expect(names).toEqual(['started', 'step', 'step', 'completed']);
});

/** Background runs when their stored state cannot be written. */
import { expect, it } from 'vitest';
import { createBackgroundRuns } from '../../../src/application/background/background-runs.ts';
import { GatewayError } from '../../../src/types/errors.ts';
import type { JsonObject } from '../../../src/types/json.ts';
import { textEvents } from '../../../src/streaming/text-events.ts';
import { eventually } from '../../whole/gateway.ts';

const owner = { tenant: 't', issuer: 'i', subject: 's' };
const description = { id: 'run-1', skill: 'city', version: '1.0.0', typed: false, spent: () => null };
const logger = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** A store that refuses the first `failures` ends. */
function openStates(failures: number) {
  const kept = new Map<string, JsonObject>();
  const ends: unknown[] = [];
  return {
    ends,
    async keep(_owner: unknown, ids: readonly string[], state: JsonObject): Promise<void> {
      if (state['status'] === 'completed' && ends.push(state) <= failures) throw new GatewayError('storage_unavailable', 'away');
      for (const id of ids) kept.set(id, state);
    },
    read: (_owner: unknown, ids: readonly string[]) =>
      Promise.resolve(new Map(ids.flatMap((id): [string, JsonObject][] => (kept.has(id) ? [[id, kept.get(id) as JsonObject]] : [])))),
    take: () => Promise.resolve(null),
  };
}

it('are reported as completed although their end could not be stored immediately', async () => {
  const states = openStates(1);
  const runs = createBackgroundRuns(states, logger as never);
  await runs.adopt(owner, description, textEvents('Gardens.'), new AbortController());
  const reported = await eventually(
    () => runs.find(owner, 'run-1'),
    (run) => run?.['status'] === 'completed',
  );
  expect(reported).toMatchObject({ output: 'Gardens.' });
  await eventually(
    () => Promise.resolve(states.ends.length),
    (attempts) => attempts === 2,
  );
  await runs.close();
  expect(await runs.find(owner, 'run-1')).toMatchObject({ status: 'completed', output: 'Gardens.' });
});

it('do not delay the shutdown of the node when nothing can be stored', async () => {
  const runs = createBackgroundRuns(openStates(Infinity), logger as never);
  await runs.adopt(owner, description, textEvents('Gardens.'), new AbortController());
  await eventually(
    () => runs.find(owner, 'run-1'),
    (run) => run?.['status'] === 'completed',
  );
  await runs.close();
});

it('are not streamed after the listener lost the permission, even without events', async () => {
  const runs = createBackgroundRuns(openStates(0), logger as never);
  const silence = Promise.withResolvers<void>();
  const silent = async function* () {
    await silence.promise;
    yield* textEvents('Gardens.');
  };
  await runs.adopt(owner, description, silent(), new AbortController());
  const listener = new AbortController();
  const news = await runs.follow(owner, 'run-1', listener.signal);
  const heard: string[] = [];
  const listening = (async () => {
    for await (const batch of news ?? []) heard.push(...batch.map(({ name }) => name));
  })();
  const why = new GatewayError('token_invalid', 'The key was revoked.');
  setTimeout(() => listener.abort(why), 20);
  await expect(listening).rejects.toBe(why);
  expect(heard).toEqual(['started']);
  silence.resolve();
  await runs.close();
});

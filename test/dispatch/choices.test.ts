/** Several choices in one request: all of them, or an explicit error. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { end, part, rows, say, type Scene, type Script, startScene, stream, usagePart } from './scene.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await startScene();
});
afterAll(() => scene.close());

const first = [say('one'), part({}, 'stop')];
const second = [say('two', 1), part({}, 'stop', 1)];
const done = 'data: [DONE]\n\n';

async function ask(script: Script, spec: object = {}) {
  const deployment = scene.deployment('a', await scene.vendor(script));
  return scene.ask(scene.model([deployment], spec), { body: { n: 2 } });
}

const choicesIn = (result: Awaited<ReturnType<typeof ask>>): number[] =>
  result.events.flatMap((event) => (event.type === 'finish' ? [event.choice] : []));

it('a choice that begins long after the other has ended is awaited', async () => {
  const late: Script = async ({ wire }) => {
    wire.startStream();
    for (const each of first) wire.chunk(each);
    // Longer than the wait for final token counts.
    await sleep(2_400);
    for (const each of [...second, usagePart(3, 2), done]) wire.chunk(each);
    wire.endStream();
  };
  const result = await ask(late, { limits: { first_token_ms: 1_000, idle_ms: 5_000, total_ms: 10_000 } });
  expect(result.error).toBeNull();
  expect(choicesIn(result)).toEqual([0, 1]);
});

it('token counts in between are not the end', async () => {
  const result = await ask(stream([...first, usagePart(3, 1), ...second, usagePart(3, 2), done], 'end', 3));
  expect(choicesIn(result)).toEqual([0, 1]);
  expect(result).toMatchObject({ error: null, usage: { inputTokens: 3, outputTokens: 2 } });
});

it.each(['end', 'close', 'stall'] as const)('a stream that ends without the second choice is cut, after: %s', async (how) => {
  const result = await ask(stream(first, how));
  expect(result.error?.code).toBe('upstream_interrupted');
  expect(result.events.some((event) => event.type === 'response-end')).toBe(false);
  expect(rows(result.record)).toEqual(['1 m#a error upstream_interrupted']);
});

it('fewer choices than requested are an invalid answer', async () => {
  const result = await ask(stream([say('one'), ...end()]));
  expect(result.error?.code).toBe('upstream_invalid_response');
  expect(rows(result.record)).toEqual(['1 m#a error upstream_invalid_response']);
});

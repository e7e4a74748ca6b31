/** Calls that queue for a deployment: bounded for each model, first in first out, and removed when the client disconnects. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { completionOf, left, type Scene, type ScriptedVendor, startScene } from './scene.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await startScene();
});
afterAll(() => scene.close());

/** A model with one deployment that takes one call at a time. The test decides when it answers. */
async function narrow(size: number) {
  const vendor = await scene.vendor(() => {});
  const model = scene.model([scene.deployment('only', vendor, { limits: { concurrency: 1 } })], { queue: { size, wait_ms: 4_000 } });
  return { model, vendor };
}
const answer = (vendor: ScriptedVendor, call: number): void => vendor.calls[call]?.wire.whole(200, completionOf(`answer ${call}`));
const ask = ({ model }: Awaited<ReturnType<typeof narrow>>, word = 'Hello', signal?: AbortSignal) =>
  scene.ask(model, {
    stream: false,
    body: { messages: [{ role: 'user', content: word }] },
    ...(signal === undefined ? {} : { signal }),
  });
const asked = (vendor: ScriptedVendor) => expect.poll(() => vendor.calls.length);

it('is bounded for each model, however many calls wait for other models', async () => {
  const [one, other] = [await narrow(1), await narrow(1)];
  const calls = [ask(one), ask(one)];
  await asked(one.vendor).toBe(1);
  const others = [ask(other), ask(other)];
  await asked(other.vendor).toBe(1);
  expect((await ask(other)).error, 'the second that would wait').toMatchObject({ code: 'rate_limited' });
  for (const { vendor } of [one, other]) answer(vendor, 0);
  for (const { vendor } of [one, other]) {
    await asked(vendor).toBe(2);
    answer(vendor, 1);
  }
  for (const result of await Promise.all([...calls, ...others])) expect(result).toMatchObject({ error: null, finish: 'stop' });
});

it('is first in, first out', async () => {
  const each = await narrow(5);
  const calls = [ask(each, 'first')];
  await asked(each.vendor).toBe(1);
  for (const word of ['second', 'third', 'fourth']) calls.push(ask(each, word));
  for (let call = 0; call < 4; call++) {
    await asked(each.vendor).toBe(call + 1);
    answer(each.vendor, call);
  }
  await Promise.all(calls);
  expect(each.vendor.calls.map(({ body }) => body.messages[0].content)).toEqual(['first', 'second', 'third', 'fourth']);
});

it('drops a caller who disconnects, and admits the next one', async () => {
  const each = await narrow(1);
  const running = ask(each);
  await asked(each.vendor).toBe(1);
  const controller = new AbortController();
  const waiting = ask(each, 'leaves', controller.signal);
  expect((await ask(each)).error?.code).toBe('rate_limited');
  controller.abort(left());
  expect((await waiting).record).toMatchObject({ outcome: 'aborted', attempts: [] });
  const next = ask(each, 'next');
  answer(each.vendor, 0);
  await asked(each.vendor).toBe(2);
  answer(each.vendor, 1);
  for (const result of await Promise.all([running, next])) expect(result.error).toBeNull();
});

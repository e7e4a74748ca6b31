/** Clients without streaming never see an attempt that broke in the middle: another deployment is called. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { end, left, part, rows, say, type Scene, type Script, startScene, stream, untilRead } from './scene.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await startScene();
});
afterAll(() => scene.close());

const healthy = stream([say('Many '), say('roads.'), ...end(7, 3)]);
const breaks: Readonly<Record<string, Script>> = {
  'a cut': stream([say('Many '), say('ro')], 'close'),
  'a reset': stream([say('Many '), say('ro')], 'reset'),
  'a stall': stream([say('Many '), say('ro')], 'stall'),
  'an end without a finish reason': stream([say('Many '), say('ro')]),
  'an error in the middle': stream([say('Many '), 'data: {"error":{"message":"overloaded","code":"overloaded_error"}}\n\n']),
  'a cut in the arguments of a tool': stream(
    [part({ tool_calls: [{ index: 0, id: 'c', type: 'function', function: { name: 'f', arguments: '{"a"' } }] })],
    'close',
  ),
};

describe.each([
  { how: 'not streamed, from a deployment that always streams', streamed: false, spec: {} },
  { how: 'streamed, with interrupted: withhold', streamed: true, spec: { interrupted: 'withhold' } },
])('$how', ({ streamed, spec }) => {
  it.each(Object.keys(breaks))('%s leads to the next deployment, and none of its text is sent', async (name) => {
    const first = await scene.vendor(breaks[name] as Script);
    const second = await scene.vendor(healthy);
    const more = { alwaysStream: true };
    const model = scene.model([scene.deployment('first', first, more), scene.deployment('second', second, more)], spec);
    const result = await scene.ask(model, { stream: streamed });
    expect(result).toMatchObject({ text: 'Many roads.', finish: 'stop', error: null, deployment: 'm#second', attempts: 2 });
    expect(result.events.some((event) => event.type === 'tool-call-start')).toBe(false);
    expect(rows(result.record)).toEqual([expect.stringMatching(/^1 m#first error upstream_/), '2 m#second complete']);
    expect(result.record).toMatchObject({ outcome: 'complete', usage: { inputTokens: 7, outputTokens: 3 } });
  });

  it('silence ends at the first-token limit, and the next deployment answers', async () => {
    const silent = await scene.vendor(({ wire }) => wire.startStream());
    const deployments = [silent, await scene.vendor(healthy)].map((vendor, at) =>
      scene.deployment(`${at}`, vendor, { alwaysStream: true }),
    );
    const result = await scene.ask(scene.model(deployments, spec), { stream: streamed });
    expect(result).toMatchObject({ text: 'Many roads.', finish: 'stop', error: null });
    expect(rows(result.record)).toEqual(['1 m#0 error upstream_timeout', '2 m#1 complete']);
  });

  it('without another deployment the call is an error without content', async () => {
    const only = await scene.vendor(breaks['a cut'] as Script);
    const result = await scene.ask(scene.model([scene.deployment('only', only, { alwaysStream: true })], spec), { stream: streamed });
    expect(result).toMatchObject({ text: '', finish: null, attempts: null });
    expect(result.error?.code).toMatch(/^upstream_/);
    expect(result.record).toMatchObject({ outcome: 'error', usage: null, firstTokenAt: null });
  });

  it('a client disconnect during buffering ends the vendor’s work', async () => {
    const vendor = await scene.vendor(breaks['a stall'] as Script);
    const controller = new AbortController();
    const model = scene.model([scene.deployment('only', vendor, { alwaysStream: true })], {
      ...spec,
      limits: { idle_ms: 60_000, total_ms: 60_000 },
    });
    const asked = scene.ask(model, { stream: streamed, signal: controller.signal });
    await expect.poll(() => vendor.calls.length).toBe(1);
    await untilRead();
    controller.abort(left());
    const result = await asked;
    expect(result.record.outcome).toBe('aborted');
    await expect.poll(() => vendor.left).toBe(1);
  });
});

it('warnings about counts of a buffered answer reach the caller', async () => {
  const vendor = await scene.vendor(stream([say('Many '), say('roads.'), ...end(7, 1e300)], 'end', 1));
  const model = scene.model([scene.deployment('only', vendor, { alwaysStream: true })]);
  const result = await scene.ask(model, { stream: false });
  expect(result.warnings).toEqual([expect.stringContaining('usage estimated')]);
  expect(result.usage).toMatchObject({ estimated: true });
});

it('a stream without that option still begins immediately', async () => {
  const first = await scene.vendor(breaks['a cut'] as Script);
  const result = await scene.ask(scene.model([scene.deployment('first', first), scene.deployment('second', first)]));
  expect(result).toMatchObject({ text: 'Many ro', finish: null, attempts: 1 });
  expect(result.error?.code).toBe('upstream_interrupted');
});

it('an answer without end is refused before it fills the memory', async () => {
  const flood = await scene.vendor(async ({ wire }) => {
    wire.startStream();
    const much = say('x'.repeat(1_000_000));
    while (!wire.gone) {
      wire.chunk(much);
      await wire.drained();
    }
  });
  const model = scene.model([scene.deployment('flood', flood, { alwaysStream: true })], { limits: { total_ms: 30_000 } });
  const result = await scene.ask(model, { stream: false });
  expect(result.error?.code).toBe('upstream_invalid_response');
  expect(rows(result.record)).toEqual(['1 m#flood error upstream_invalid_response']);
});

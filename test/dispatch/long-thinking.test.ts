/** Models that think for long before their first token, under the default limits. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { firstTokenLimit } from '../../src/dispatch/first-token-limit.ts';
import { completionOf, end, part, rows, say, type Scene, type ScriptedCall, startScene, stream, untilRead } from './scene.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await startScene();
});
afterAll(() => scene.close());
afterEach(() => vi.useRealTimers());

const defaults = { limits: {} };

describe('the default limit of the first token', () => {
  it.each([
    ['none', undefined, 30_000],
    ['low', undefined, 60_000],
    ['high', undefined, 240_000],
    ['max', true, 420_000],
    [undefined, undefined, 60_000],
    [undefined, true, 120_000],
    [undefined, 'always', 120_000],
    ['high', false, 30_000],
  ] as const)('with the effort %s and a model that thinks: %s is %d ms', (effort, thinking, milliseconds) => {
    const reasoning = thinking === undefined ? {} : { reasoning: { thinking } };
    const body = effort === undefined ? {} : { reasoning_effort: effort };
    expect(firstTokenLimit(scene.model([], defaults), reasoning, body)).toEqual({ milliseconds, isRenewed: true });
  });

  it('is that of the row where it has one', () => {
    const model = scene.model([], { limits: { first_token_ms: 5_000 } });
    expect(firstTokenLimit(model, {}, { reasoning_effort: 'max' })).toEqual({ milliseconds: 5_000, isRenewed: false });
  });
});

/** Starts a call whose vendor has received it and is silent. The clock stands still. */
async function silentCall(spec: object, options: object = {}) {
  const received = Promise.withResolvers<ScriptedCall>();
  const first = scene.deployment('a', await scene.vendor((call) => received.resolve(call)));
  const second = scene.deployment('b', await scene.vendor(stream([say('second'), ...end()])));
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
  const result = scene.ask(scene.model([first, second], spec), options);
  return { result, call: await received.promise };
}

async function pass(milliseconds: number): Promise<void> {
  await untilRead();
  vi.advanceTimersByTime(milliseconds);
  await untilRead();
}

it.each([
  ['keep-alive comments', ': keep-alive\n\n'],
  ['a chunk without content', part({ role: 'assistant' })],
])('a vendor that sends %s may think for minutes', async (_what, sign) => {
  const { result, call } = await silentCall(defaults);
  call.wire.startStream();
  for (let minute = 0; minute < 5; minute++) {
    await pass(55_000);
    call.wire.chunk(sign);
  }
  await pass(55_000);
  for (const each of [say('thought'), ...end()]) call.wire.chunk(each);
  call.wire.endStream();
  expect(await result).toMatchObject({ text: 'thought', error: null, attempts: 1 });
});

it('a vendor without any sign of life is left for the next, and so is one that pings beyond the limit of the row', async () => {
  const silent = await silentCall(defaults);
  silent.call.wire.startStream();
  await pass(60_001);
  vi.useRealTimers();
  const one = await silent.result;
  expect(one.text).toBe('second');
  expect(rows(one.record)).toEqual(['1 m#a error upstream_timeout', '2 m#b complete']);

  const pinging = await silentCall({ limits: { first_token_ms: 60_000 } });
  pinging.call.wire.startStream();
  await pass(55_000);
  pinging.call.wire.chunk(': keep-alive\n\n');
  await pass(5_001);
  vi.useRealTimers();
  expect((await pinging.result).text).toBe('second');
});

it('a whole answer may take as long as the call once its first byte has come, and goes to the next deployment before', async () => {
  const silent = await silentCall({ limits: { first_byte_ms: 100_000 } }, { stream: false });
  await pass(100_001);
  vi.useRealTimers();
  expect(rows((await silent.result).record)).toEqual(['1 m#a error upstream_timeout', '2 m#b complete']);

  const slow = await silentCall({ limits: { first_byte_ms: 100_000 } }, { stream: false });
  const body = completionOf('late');
  slow.call.wire.raw(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body.slice(0, 1)}`,
  );
  await pass(200_000);
  slow.call.wire.raw(body.slice(1));
  expect(await slow.result).toMatchObject({ text: 'late', error: null });
});

/** An interrupted stream is resumed elsewhere word for word, or ends with an error. No word is repeated, lost or invented. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compilePrice } from '../../src/types/price.ts';
import type { Deployment } from '../../src/types/snapshot.ts';
import { end, left, part, rows, say, type Scene, type Script, startScene, stream, think, type CallResult, untilRead } from './scene.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await startScene();
});
afterAll(() => scene.close());

const full = 'Many roads lead to 牌楼 🏮 and on.';
const resume = { interrupted: 'resume' };
/** In chunks of `size` UTF-16 units, which may split a character. */
const pieces = (text: string, size: number): string[] => text.match(new RegExp(`[\\s\\S]{1,${size}}`, 'g')) ?? [];
const whole = (text = full, size = 3): Script => stream([...pieces(text, size).map((each) => say(each)), ...end(20, 9)], 'end', 3);
const cutAfter = (text: string): Script =>
  stream(
    pieces(text, 2).map((each) => say(each)),
    'close',
    1,
  );

async function chain(scripts: readonly Script[], spec: object = {}, more: Partial<Deployment>[] = []) {
  const vendors = await Promise.all(scripts.map((script) => scene.vendor(script)));
  const deployments = vendors.map((vendor, index) => scene.deployment('abc'[index] ?? 'x', vendor, more[index]));
  return { vendors, model: scene.model(deployments, { ...resume, ...spec }) };
}

function expectWhole(result: CallResult, text = full): void {
  expect(result).toMatchObject({ text, finish: 'stop', error: null });
  expect(result.events.filter((event) => event.type === 'finish')).toHaveLength(1);
  expect(result.events.filter((event) => event.type === 'response-end')).toHaveLength(1);
  expect(result.events.filter((event) => event.type === 'response-start').length).toBeLessThanOrEqual(1);
  expect(result.record).toMatchObject({ outcome: 'complete', error: null });
}

function expectBroken(result: CallResult, text: string): void {
  expect(result).toMatchObject({ text, finish: null });
  expect(result.error?.code).toBe('upstream_interrupted');
  expect(result.events.some((event) => event.type === 'response-end')).toBe(false);
  expect(result.record).toMatchObject({ outcome: 'error', error: 'upstream_interrupted' });
}

describe('a second answer from the start', () => {
  it.each(['close', 'reset', 'stall', 'end'] as const)('continues in the middle of a word after: %s', async (how) => {
    const { model, vendors } = await chain([stream([say('Many '), say('roa')], how), whole()]);
    const result = await scene.ask(model);
    expectWhole(result);
    expect(rows(result.record)).toEqual(['1 m#a error upstream_interrupted', '2 m#b complete']);
    expect(result.deployment, 'the headers were sent when the first words were').toBe('m#a');
    expect(result.attempts).toBe(1);
    expect(result.record.deployment).toBe('m#b');
    expect(vendors[1]?.calls[0]?.body.messages, 'the request as it was').toEqual([{ role: 'user', content: 'Hello' }]);
  });

  it('continues after an error inside the stream', async () => {
    const broken = stream([say('Many '), 'data: {"error":{"message":"overloaded","code":"overloaded_error"}}\n\n']);
    const { model } = await chain([broken, whole()]);
    expectWhole(await scene.ask(model));
  });

  it.each([1, 2, 4, 7, 1_000])('may arrive in other chunks: %d characters each', async (size) => {
    for (const length of [1, 5, 19, 20, 22, 23, full.length]) {
      const { model } = await chain([cutAfter(full.slice(0, length)), whole(full, size)]);
      expectWhole(await scene.ask(model));
    }
  });

  it.each([
    ['digits', '0'.repeat(24), '0'],
    ['lines', 'a\n\n\n\n\n\n\n\nb', 'a\n'],
    ['a rule', '-'.repeat(40), '---'],
    ['laughter', 'ha ha ha ha ha ha ha ha', 'ha h'],
  ])('that repeats itself loses nothing: %s', async (_what, text, said) => {
    for (const size of [1, 2, 5]) {
      const { model } = await chain([stream([say(said)], 'close'), whole(text, size)]);
      expectWhole(await scene.ask(model), text);
    }
  });

  it('continues twice, word by word', async () => {
    const { model } = await chain([stream([say('Many ')], 'close'), cutAfter(full.slice(0, 20)), whole(full, 2)]);
    expectWhole(await scene.ask(model));
  });

  it('continues between the halves of one character', async () => {
    const half = full.indexOf('🏮') + 1;
    const { model } = await chain([stream([say(full.slice(0, half))], 'close'), whole()]);
    const result = await scene.ask(model);
    expectWhole(result);
    expect(result.text.isWellFormed()).toBe(true);
  });

  it('continues when the bytes of one character are split', async () => {
    const chunk = Buffer.from(say('Many roads lead to 牌'));
    const middle = chunk.indexOf(Buffer.from('牌')) + 1;
    const first: Script = async ({ wire }) => {
      wire.startStream();
      wire.chunk(say('Many '));
      const bytes = chunk.subarray(0, middle);
      wire.raw(Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]));
      await untilRead();
      wire.close();
    };
    const { model } = await chain([first, whole()]);
    expectWhole(await scene.ask(model));
  });

  it('continues in the middle of reasoning, and after it', async () => {
    const thoughtful = stream(
      [think('Let '), think('me '), think('see'), think('. '), say('Many'), say(' ro'), say('ads.'), ...end(10, 6)],
      'end',
      3,
    );
    for (const beginning of [[think('Let m')], [think('Let me see. ')], [think('Let me see. '), say('Ma')]]) {
      const { model } = await chain([stream(beginning, 'close'), thoughtful]);
      const result = await scene.ask(model);
      expectWhole(result, 'Many roads.');
      expect(result.reasoning).toBe('Let me see. ');
      expect(result.events.findLastIndex((event) => event.type === 'reasoning-delta')).toBeLessThan(
        result.events.findIndex((event) => event.type === 'text-delta'),
      );
    }
  });

  it.each([
    ['another word', 'Many ways lead on.', 'Many road'],
    ['a word less', 'roads lead on.', 'Many roads'],
    ['another character at the very end', 'Many roadz', 'Many roads'],
  ])('that contains %s ends the call with an error, and no text is repeated', async (_what, second, said) => {
    const { model, vendors } = await chain([
      stream([say(said)], 'close'),
      stream(
        pieces(second, 1).map((each) => say(each)),
        'stall',
      ),
    ]);
    const result = await scene.ask(model);
    expectBroken(result, said);
    expect(rows(result.record)).toEqual(['1 m#a error upstream_interrupted', '2 m#b aborted']);
    expect(result.record.attempts[1]?.detail).toBe('it differed from the delivered text');
    expect(scene.dispatcher.health()[model.deployments[1]?.key as string], 'is no fault of the vendor').toMatchObject({
      failures: 0,
      inFlight: 0,
    });
    expect(vendors[1]?.calls).toHaveLength(1);
  });

  it('that is shorter than the delivered text ends the call with an error', async () => {
    const { model } = await chain([stream([say('Many roads')], 'close'), stream([say('Many'), ...end(20, 9)])]);
    const result = await scene.ask(model);
    expectBroken(result, 'Many roads');
    const alone = await scene.ask((await chain([stream([say('Many roads')], 'close')])).model);
    expect(result.record.usage?.outputTokens, 'with its own count of tokens').toBe((alone.record.usage?.outputTokens ?? 0) + 9);
  });

  it('that deviates is ended at the vendor at once', async () => {
    const { model, vendors } = await chain([stream([say('Many roads')], 'close'), stream([say('Few')], 'stall')], {
      limits: { idle_ms: 60_000, total_ms: 60_000 },
    });
    // Only the next deployment needs the silence; here the first one cuts at once.
    expectBroken(await scene.ask(model), 'Many roads');
    await expect.poll(() => vendors[1]?.left).toBe(1);
  });

  it.each([
    ['thinks more than before', [think('Let me'), say('Ma')], [think('Let me see'), say('Many roads.')]],
    ['thinks where the first spoke', [say('Ma')], [think('Hm. '), say('Many roads.')]],
    ['speaks where the first thought', [think('Let me')], [say('Let me')]],
    [
      'calls a tool in the middle of what was said',
      [say('Many')],
      [say('Ma'), part({ tool_calls: [{ index: 0, id: 'c', function: { name: 'f', arguments: '{}' } }] })],
    ],
  ])('that %s ends the call with an error', async (_what, first, second) => {
    const { model } = await chain([stream(first, 'close'), stream([...second, ...end()])]);
    const result = await scene.ask(model);
    expect(result.error?.code).toBe('upstream_interrupted');
    expect(result.finish).toBeNull();
  });

  it('may call a tool after the delivered text', async () => {
    const call = part({ tool_calls: [{ index: 0, id: 'c1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }] });
    const { model } = await chain([stream([say('Let me l')], 'close'), stream([say('Let me look.'), call, ...end(10, 9, 'tool_calls')])]);
    const result = await scene.ask(model);
    expect(result).toMatchObject({ text: 'Let me look.', finish: 'tool_calls', error: null });
    expect(result.events.filter((event) => event.type === 'tool-call-start')).toHaveLength(1);
  });

  it('continues each of several choices', async () => {
    const first = stream([say('One', 0), say('Tw', 1), part({}, 'stop', 0)], 'close');
    const second = stream([say('Two ', 1), say('One', 0), part({}, 'stop', 0), say('more.', 1), part({}, 'stop', 1), ...end().slice(1)]);
    const { model } = await chain([first, second]);
    const result = await scene.ask(model, { body: { n: 2 } });
    expect(result.error).toBeNull();
    const of = (choice: number) =>
      result.events.flatMap((event) => (event.type === 'text-delta' && event.choice === choice ? [event.text] : [])).join('');
    expect([of(0), of(1)]).toEqual(['One', 'Two more.']);
    expect(result.events.filter((event) => event.type === 'finish')).toHaveLength(2);
  });

  it('that lacks a choice ends the call with an error', async () => {
    const { model } = await chain([
      stream([say('One', 0), say('Tw', 1)], 'close'),
      stream([say('One', 0), part({}, 'stop', 0), ...end().slice(1)]),
    ]);
    const result = await scene.ask(model, { body: { n: 2 } });
    expect(result.error?.code).toBe('upstream_interrupted');
    expect(result.events.some((event) => event.type === 'response-end')).toBe(false);
  });
});

describe('what is never resumed', () => {
  const call = (more: object): string => part({ tool_calls: [{ index: 0, ...more }] });

  it('a tool call that has begun', async () => {
    const first = stream(
      [call({ id: 'c1', type: 'function', function: { name: 'f', arguments: '{"a"' } }), call({ function: { arguments: ':1' } })],
      'close',
    );
    const { model, vendors } = await chain([first, whole()]);
    const result = await scene.ask(model);
    expectBroken(result, '');
    expect(vendors[1]?.calls, 'the next deployment is not asked').toHaveLength(0);
  });

  it('an answer with log probabilities', async () => {
    const content = [{ token: 'Many', logprob: -0.1, bytes: null, top_logprobs: [] }];
    const probable = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'Many' }, logprobs: { content, refusal: null }, finish_reason: null }] })}\n\n`;
    const { model, vendors } = await chain([stream([probable], 'close'), whole()]);
    expectBroken(await scene.ask(model, { body: { logprobs: true } }), 'Many');
    expect(vendors[1]?.calls).toHaveLength(0);
  });

  it('anything, unless the model has interrupted: resume', async () => {
    const { model, vendors } = await chain([stream([say('Many ')], 'close'), whole()], { interrupted: 'error' });
    expectBroken(await scene.ask(model), 'Many ');
    expect(vendors[1]?.calls).toHaveLength(0);
  });
});

describe('an answer whose end is known', () => {
  it('is complete when only the token counts are lost', async () => {
    const { model, vendors } = await chain([stream([say(full), part({}, 'stop')], 'reset'), whole()]);
    const result = await scene.ask(model);
    expectWhole(result);
    expect(result.usage?.estimated).toBe(true);
    expect(vendors[1]?.calls).toHaveLength(0);
  });
});

describe('several breaks', () => {
  it('a second cut, while the second answer repeats the first, is resumed too', async () => {
    const { model } = await chain([stream([say('Many roads')], 'close'), stream([say('Many ')], 'close'), whole()]);
    const result = await scene.ask(model);
    expectWhole(result);
    expect(rows(result.record)).toEqual(['1 m#a error upstream_interrupted', '2 m#b error upstream_interrupted', '3 m#c complete']);
  });

  it('a second cut, after the second answer went further, is resumed too', async () => {
    const { model } = await chain([stream([say('Many ')], 'close'), stream([say('Many roads le')], 'reset'), whole()]);
    expectWhole(await scene.ask(model));
  });

  it('a failure before the second answer starts leads to the third', async () => {
    const { model } = await chain([stream([say('Many ')], 'close'), ({ wire }) => wire.whole(400, '{"error":{"message":"no"}}'), whole()]);
    const result = await scene.ask(model);
    expectWhole(result);
    expect(rows(result.record)).toEqual(['1 m#a error upstream_interrupted', '2 m#b error invalid_request', '3 m#c complete']);
  });

  it('the maximum of attempts applies to the whole call', async () => {
    const { model, vendors } = await chain([stream([say('Many ')], 'close'), stream([say('Many ro')], 'close'), whole()], {
      limits: { attempts: 2, total_ms: 10_000, idle_ms: 1_000, first_token_ms: 1_200 },
    });
    const result = await scene.ask(model);
    expectBroken(result, 'Many ro');
    expect(vendors[2]?.calls).toHaveLength(0);
    expect(result.record.attempts).toHaveLength(2);
  });

  it('the total limit applies to all attempts', async () => {
    const { model } = await chain([stream([say('Many ')], 'close'), stream([say('Many ro')], 'stall')], {
      limits: { attempts: 3, total_ms: 600, idle_ms: 5_000, first_token_ms: 5_000 },
    });
    const startedAt = Date.now();
    const result = await scene.ask(model);
    expect(result).toMatchObject({ text: 'Many ro', finish: null });
    expect(result.error?.code).toBe('upstream_timeout');
    expect(Date.now() - startedAt).toBeLessThan(4_000);
  });

  it('without another deployment it ends with an explicit error', async () => {
    const { model } = await chain([stream([say('Many ')], 'close'), ({ wire }) => wire.whole(503, '{}')]);
    const result = await scene.ask(model);
    expectBroken(result, 'Many ');
    expect(result.error?.message).toMatch(/no other deployment could go on/);
  });

  it('a single deployment may be retried where the model allows it', async () => {
    let calls = 0;
    const once: Script = (call) => (calls++ === 0 ? stream([say('Many roa')], 'reset') : whole())(call);
    const { model } = await chain([once], { retry: { same: 1 } });
    const result = await scene.ask(model);
    expectWhole(result);
    expect(rows(result.record)).toEqual(['1 m#a error upstream_interrupted', '2 m#a complete']);
  });

  it('a deployment with an open circuit is not tried', async () => {
    const { model, vendors } = await chain([stream([say('Many ')], 'close'), ({ wire }) => wire.reset(), whole()], {
      circuit: { failures: 1, open_ms: 60_000 },
    });
    await scene.ask({ ...model, deployments: [model.deployments[1] as Deployment] });
    const before = vendors[1]?.calls.length;
    expectWhole(await scene.ask(model));
    expect(vendors[1]?.calls.length).toBe(before);
  });
});

describe('a client disconnect', () => {
  it('while the second answer repeats the first ends it at the vendor', async () => {
    const { model, vendors } = await chain([stream([say('Many roads')], 'close'), stream([say('Many')], 'stall')], {
      limits: { idle_ms: 60_000, total_ms: 60_000 },
    });
    const controller = new AbortController();
    const asked = scene.ask(model, { signal: controller.signal });
    await expect.poll(() => vendors[1]?.calls.length).toBe(1);
    await untilRead();
    controller.abort(left());
    const result = await asked;
    expect(result.record).toMatchObject({ outcome: 'aborted', error: 'client_closed_request' });
    expect(rows(result.record)).toEqual(['1 m#a error upstream_interrupted', '2 m#b aborted client_closed_request']);
    await expect.poll(() => vendors[1]?.left).toBe(1);
  });

  it('during the second attempt ends that attempt', async () => {
    const { model, vendors } = await chain([stream([say('Many roads')], 'close'), () => {}], {
      limits: { first_token_ms: 60_000, total_ms: 60_000 },
    });
    const controller = new AbortController();
    const asked = scene.ask(model, { signal: controller.signal });
    await expect.poll(() => vendors[1]?.calls.length).toBe(1);
    controller.abort(left());
    expect((await asked).record.outcome).toBe('aborted');
    await expect.poll(() => vendors[1]?.left).toBe(1);
  });

  it('in the middle of the second answer records both parts', async () => {
    const { model, vendors } = await chain([stream([say('Many ')], 'close'), stream([say('Many roads lead')], 'stall')]);
    const result = await scene.ask(model, {
      leaveAfter: (events) => events.some((event) => event.type === 'text-delta' && event.text.includes('lead')),
    });
    expect(result.record).toMatchObject({ outcome: 'aborted', usage: { estimated: true } });
    const first = (await scene.ask((await chain([stream([say('Many ')], 'close')])).model)).record.usage;
    expect(result.record.usage?.inputTokens, 'two parts, each with its input').toBe(2 * (first?.inputTokens ?? 0));
    await expect.poll(() => vendors[1]?.left).toBe(1);
  });
});

describe('its cost', () => {
  const price = (input: number, output: number) => compilePrice({ currency: 'USD', input, output });

  it('is the sum of the parts: an estimate of the cut one, the vendor’s counts of the last', async () => {
    const alone = await scene.ask((await chain([stream([say('Many roads')], 'close')])).model);
    const cut = alone.record.usage;
    expect(cut).toMatchObject({ estimated: true });
    const { model } = await chain([stream([say('Many roads')], 'close'), whole()]);
    const result = await scene.ask(model);
    const sum = { inputTokens: (cut?.inputTokens ?? 0) + 20, outputTokens: (cut?.outputTokens ?? 0) + 9, estimated: true };
    expect(result.usage, 'what the caller reads').toEqual(sum);
    expect(result.record.usage, 'what the ledger says').toEqual(sum);
  });

  it('uses the price of the deployment of each part', async () => {
    const { model } = await chain([stream([say('Many roads')], 'close'), whole()], {}, [{ price: price(1, 1) }, { price: price(0, 2) }]);
    const result = await scene.ask(model);
    const usage = result.record.usage;
    const cut = { input: (usage?.inputTokens ?? 0) - 20, output: (usage?.outputTokens ?? 0) - 9 };
    expect(result.record.cost).toBe(cut.input + cut.output + 9 * 2);
  });

  it('is unknown when one of the prices is', async () => {
    const { model } = await chain([stream([say('Many roads')], 'close'), whole()], {}, [{}, { price: price(1, 1) }]);
    expect((await scene.ask(model)).record.cost).toBeNull();
  });

  it('includes a held second answer that differed', async () => {
    const { model } = await chain([stream([say('Many roads')], 'close'), whole('Many ways lead to somewhere else altogether', 1_000)]);
    const result = await scene.ask(model);
    const alone = await scene.ask((await chain([stream([say('Many roads')], 'close')])).model);
    expect(result.record.usage?.outputTokens).toBeGreaterThan((alone.record.usage?.outputTokens ?? 0) + 5);
  });
});

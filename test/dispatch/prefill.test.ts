/** An interrupted answer is given to another model as a prefill. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Prefill } from '../../src/types/provider.ts';
import { end, part, rows, say, type Scene, type Script, startScene, stream, think } from './scene.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await startScene();
});
afterAll(() => scene.close());

const question = { role: 'user', content: 'Hello' };

/** A deployment whose stream is cut after `said`, and a second one that supports prefill. */
async function pair(said: readonly string[], script: Script, marks: Prefill = {}) {
  const first = await scene.vendor(stream(said, 'close'));
  const second = await scene.vendor(script);
  const able = { prefill: true, provider: { instance: { prefill: () => marks } } as never };
  const model = scene.model([scene.deployment('a', first), scene.deployment('b', second, able)], { interrupted: 'resume' });
  return { model, second };
}

/** One word in each read, as models stream. */
const wordByWord = (words: readonly string[]): Script => stream([...words.map((each) => say(each)), ...end()], 'end', 3);

describe('a model with a prefill', () => {
  it.each([
    ['at once', ['Many roads lead on.']],
    ['word by word', ['Many', ' ro', 'ads', ' lead', ' on.']],
    ['as far as it was said, and no further', ['Many ', 'roads']],
  ])('that starts again ends the call with an error, and no text is repeated: %s', async (_how, words) => {
    const { model } = await pair([say('Many roads')], wordByWord(words));
    const result = await scene.ask(model);
    expect(result).toMatchObject({ text: 'Many roads', finish: null, error: { code: 'upstream_interrupted' } });
    expect(rows(result.record)).toEqual(['1 m#a error upstream_interrupted', '2 m#b aborted']);
  });

  it.each([
    ['a word', 'Many roads', ['Ma', 'ny more.']],
    ['an end', 'Many roads', ['Many']],
    ['what is too short to tell', '0', ['0', '0', '0']],
    ['half of it', 'Many roads lead', ['Many ro', 'ses.']],
  ])('may continue with words that resemble its first ones: %s', async (_what, said, words) => {
    const { model } = await pair([say(said)], wordByWord(words));
    expect(await scene.ask(model)).toMatchObject({ text: said + words.join(''), finish: 'stop', error: null });
  });
});

describe('a resumed answer with a prefill', () => {
  it('contains only new text, marked as the vendor requires', async () => {
    const { model, second } = await pair([say('Many roa')], stream([say('ds lead'), say(' on.'), ...end(12, 4)]), {
      message: { prefix: true },
      body: { go_on: true },
    });
    const result = await scene.ask(model, { body: { max_tokens: 100 } });
    expect(result).toMatchObject({ text: 'Many roads lead on.', finish: 'stop', error: null });
    expect(second.calls[0]?.body).toMatchObject({
      messages: [question, { role: 'assistant', content: 'Many roa', prefix: true }],
      go_on: true,
      stream: true,
    });
    expect(second.calls[0]?.body.max_tokens).toBeLessThan(100);
    expect(rows(result.record)).toEqual(['1 m#a error upstream_interrupted', '2 m#b complete']);
    expect(result.record.usage).toMatchObject({ estimated: true });
    expect(result.record.usage?.outputTokens).toBeGreaterThan(4);
  });

  it('continues again after a second cut, with all delivered text', async () => {
    const vendors = await Promise.all([
      scene.vendor(stream([say('Many roa')], 'close')),
      scene.vendor(stream([say('ds lead')], 'reset')),
      scene.vendor(stream([say(' on.'), ...end()])),
    ]);
    const able = { prefill: true, provider: { instance: { prefill: () => ({}) } } as never };
    const deployments = vendors.map((vendor, index) => scene.deployment(String(index), vendor, able));
    const result = await scene.ask(scene.model(deployments, { interrupted: 'resume' }));
    expect(result).toMatchObject({ text: 'Many roads lead on.', finish: 'stop', error: null });
    expect(vendors[2]?.calls[0]?.body.messages.at(-1)).toEqual({ role: 'assistant', content: 'Many roads lead' });
  });

  it('has a prefill without trailing white space, which the model must repeat', async () => {
    const { model, second } = await pair([say('Many roads \n\n')], stream([say(' \n'), say('\nlead on.'), ...end()]));
    const result = await scene.ask(model);
    expect(result).toMatchObject({ text: 'Many roads \n\nlead on.', error: null });
    expect(second.calls[0]?.body.messages.at(-1).content).toBe('Many roads');
  });

  it('ends with an error when the model omits that white space', async () => {
    const { model } = await pair([say('Many roads ')], stream([say('lead on.'), ...end()]));
    const result = await scene.ask(model);
    expect(result).toMatchObject({ text: 'Many roads ', finish: null });
    expect(result.error?.code).toBe('upstream_interrupted');
  });

  it('removes the prefill that a vendor repeats in other chunks', async () => {
    const { model } = await pair([say('Many roads ')], stream([say('Man'), say('y roads le'), say('ad on.'), ...end()]), { repeats: true });
    expect(await scene.ask(model)).toMatchObject({ text: 'Many roads lead on.', finish: 'stop', error: null });
  });

  it('ends with an error when a vendor should repeat the prefill and does not', async () => {
    const { model } = await pair([say('Many roads')], stream([say(' lead on.'), ...end()]), { repeats: true });
    expect(await scene.ask(model)).toMatchObject({ text: 'Many roads', finish: null });
  });

  it('ends with an error when the model starts to reason', async () => {
    const { model } = await pair([say('Many roads')], stream([think('Hm.'), say(' lead on.'), ...end()]));
    const result = await scene.ask(model);
    expect(result).toMatchObject({ text: 'Many roads', reasoning: '', finish: null });
    expect(result.error?.code).toBe('upstream_interrupted');
  });

  it('may continue with a tool call', async () => {
    const call = part({ tool_calls: [{ index: 0, id: 'c1', type: 'function', function: { name: 'f', arguments: '{}' } }] });
    const { model } = await pair([say('Let me look')], stream([say('.'), call, ...end(9, 9, 'tool_calls')]));
    const tools = [{ type: 'function', function: { name: 'f', parameters: {} } }];
    expect(await scene.ask(model, { body: { tools } })).toMatchObject({ text: 'Let me look.', finish: 'tool_calls', error: null });
  });

  it('moves on when the vendor refuses the prefill', async () => {
    const first = await scene.vendor(stream([say('Many roa')], 'close'));
    const refusing = await scene.vendor(({ wire }) => wire.whole(400, '{"error":{"message":"no prefill here"}}'));
    const third = await scene.vendor(stream([say('Many roads.'), ...end()]));
    const able = { prefill: true, provider: { instance: { prefill: () => ({}) } } as never };
    const deployments = [scene.deployment('a', first), scene.deployment('b', refusing, able), scene.deployment('c', third)];
    const result = await scene.ask(scene.model(deployments, { interrupted: 'resume' }));
    expect(result).toMatchObject({ text: 'Many roads.', finish: 'stop', error: null });
  });
});

describe('a second answer from the start is compared with the delivered text', () => {
  const schema = { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object' } } };
  it.each([
    ['where the form of the answer is forced', { response_format: schema }, [say('Many ')]],
    ['where a tool must be called', { tool_choice: 'required', tools: [{ type: 'function', function: { name: 'f' } }] }, [say('Many ')]],
    ['where the caller gave a beginning already', { messages: [question, { role: 'assistant', content: 'So: ' }] }, [say('Many ')]],
    ['where the first thought', {}, [think('Hm. '), say('Many ')]],
    ['where nothing but white space was said', {}, [say('\n')]],
    ['where half of a character was said', {}, [say('Many 🏮'.slice(0, -1))]],
  ])('%s', async (_where, body, said) => {
    const { model, second } = await pair(said, stream([...said, ...end()]));
    const result = await scene.ask(model, { body });
    expect(second.calls[0]?.body.messages).toEqual('messages' in body ? body.messages : [question]);
    expect(result.finish).toBe('stop');
  });

  it('for several choices', async () => {
    const { model, second } = await pair([say('Many ')], stream([say('Many '), say('Two.', 1), part({}, 'stop', 1), ...end()], 'end', 2));
    const result = await scene.ask(model, { body: { n: 2 } });
    expect(second.calls[0]?.body.messages).toEqual([question]);
    expect(result.error).toBeNull();
  });

  it('for a deployment without prefill', async () => {
    const first = await scene.vendor(stream([say('Many roa')], 'close'));
    const second = await scene.vendor(stream([say('Many roads.'), ...end()]));
    const model = scene.model([scene.deployment('a', first), scene.deployment('b', second)], { interrupted: 'resume' });
    expect(await scene.ask(model)).toMatchObject({ text: 'Many roads.', error: null });
    expect(second.calls[0]?.body.messages).toEqual([question]);
  });
});

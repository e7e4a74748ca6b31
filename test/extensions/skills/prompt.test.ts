/** The skill kind `prompt` against a scripted model: templates, typed input and output, one repair round, options that are refused. */
import { describe, expect, it } from 'vitest';
import prompt from '../../../src/extensions/skills/prompt.ts';
import type { ChatEvent, ChatEvents, Usage } from '../../../src/types/chat.ts';
import type { Json, JsonObject } from '../../../src/types/json.ts';
import { type Conversation, noConversation, type Skill } from '../../../src/types/skill.ts';
import { principal, services } from '../mcp/services.ts';

const usage: Usage = { inputTokens: 10, outputTokens: 3, reasoningTokens: 1 };

async function skill(options: Record<string, unknown>): Promise<Skill> {
  return prompt.create(prompt.options.parse(options), services);
}

async function* said(text: string, given: Usage | null): ChatEvents {
  yield [{ type: 'response-start', id: 'v' }];
  for (const piece of text.match(/[^]{1,5}/g) ?? []) yield [{ type: 'text-delta', choice: 0, text: piece }];
  yield [
    { type: 'finish', choice: 0, reason: 'stop' },
    { type: 'response-end', usage: given },
  ];
}

/** Runs a skill whose model gives `answers` in turn, the last one forever. */
async function run(
  made: Skill,
  input: Json,
  answers: readonly string[] = ['fine'],
  options: { streamed?: boolean; usages?: readonly (Usage | null)[]; conversation?: Conversation } = {},
) {
  const calls: { capability: string; body: JsonObject }[] = [];
  const events = await made.invoke(input, {
    id: 'run',
    principal,
    signal: new AbortController().signal,
    model: 'model/scripted',
    tools: [],
    maxSteps: 8,
    streamed: options.streamed ?? false,
    conversation: options.conversation ?? noConversation,
    invoke: (capability, body) => {
      const turn = calls.length;
      calls.push({ capability, body: structuredClone<JsonObject>(body) });
      return Promise.resolve(said(answers[Math.min(turn, answers.length - 1)] ?? '', options.usages?.[turn] ?? usage));
    },
    call: () => Promise.reject(new Error('not used')),
  });
  const seen: ChatEvent[] = [];
  for await (const batch of events) seen.push(...batch);
  const text = seen.map((event) => (event.type === 'text-delta' ? event.text : '')).join('');
  return { calls, seen, text, end: seen.at(-1) };
}

const messagesOf = (call: { body: JsonObject } | undefined) => call?.body['messages'] as readonly JsonObject[];
const cityInput = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false };
const priceOutput = { type: 'object', properties: { price: { type: 'number' } }, required: ['price'], additionalProperties: false };

describe('the template', () => {
  it('inserts values of the input, nested ones by path and others as JSON', async () => {
    const made = await skill({
      instructions: 'For {{ who.name }}: {{who.tags}} {{count}} {{who.absent}}.',
      input_schema: { type: 'object', properties: { who: { type: 'object' }, count: { type: 'integer' } } },
    });
    const { calls } = await run(made, { who: { name: 'Ann', tags: ['a', 'b'] }, count: 3 });
    expect(calls[0]?.capability).toBe('model/scripted');
    expect(messagesOf(calls[0])[0]).toEqual({ role: 'system', content: 'For Ann: ["a","b"] 3 .' });
  });

  it('executes nothing, reaches no prototype and does not expand inserted values', async () => {
    const made = await skill({ instructions: '{{text}}|{{constructor.name}}|{{text.length}}', input_schema: { type: 'object' } });
    const { calls } = await run(made, { text: '{{secret}} ${1+1} $& $1', secret: 'hidden' });
    expect(messagesOf(calls[0])[0]?.['content']).toBe('{{secret}} ${1+1} $& $1||');
  });

  it('sends as the user message the text, or the prompt, or the input as JSON', async () => {
    const plain = await run(await skill({ instructions: 'Sum up.' }), { text: 'A long story.' });
    expect(messagesOf(plain.calls[0])[1]).toEqual({ role: 'user', content: 'A long story.' });
    const own = await run(await skill({ instructions: 'x', prompt: 'About {{city}}!', input_schema: cityInput }), { city: 'Suzhou' });
    expect(messagesOf(own.calls[0])[1]?.['content']).toBe('About Suzhou!');
    const json = await run(await skill({ instructions: 'x', input_schema: cityInput }), { city: 'Suzhou' });
    expect(messagesOf(json.calls[0])[1]?.['content']).toBe('{"city":"Suzhou"}');
  });

  it('passes the parameters and streams if the caller does', async () => {
    const made = await skill({ instructions: 'x', parameters: { temperature: 0.2, seed: 7 } });
    const { calls } = await run(made, { text: 'y' }, ['fine'], { streamed: true });
    expect(calls[0]?.body).toMatchObject({ temperature: 0.2, seed: 7, stream: true });
  });
});

describe('within a conversation', () => {
  it('has the instructions first and the input last, with its images', async () => {
    const picture = { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } };
    const before = [
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: 'I am Ann.' },
      { role: 'assistant', content: 'Hello Ann.' },
    ];
    const made = await skill({ instructions: 'You know people.' });
    const { calls } = await run(made, { text: 'Who am I?' }, ['Ann'], { conversation: { before, attached: [picture] } });
    expect(messagesOf(calls[0])).toEqual([
      { role: 'system', content: 'You know people.' },
      ...before,
      { role: 'user', content: [{ type: 'text', text: 'Who am I?' }, picture] },
    ]);
  });
});

describe('input', () => {
  it.each([
    [{ city: 7 }, 'input.city', /must be string/],
    [{}, 'input.city', /is missing/],
    [{ city: 'x', more: 1 }, 'input.more', /not a field/],
    ['Suzhou', 'input', /must be object/],
    [null, 'input', /must be object/],
  ])('%j is refused, naming %s, before the model is asked', async (input, param, message) => {
    const made = await skill({ instructions: '{{city}}', input_schema: cityInput });
    await expect(run(made, input)).rejects.toMatchObject({
      code: 'invalid_request',
      param,
      message: expect.stringMatching(message) as string,
    });
  });

  it('is named by a readable path, inside lists and with unusual keys', async () => {
    const items = { type: 'array', items: { type: 'object', properties: { 'a/b': { type: 'number' } } } };
    const made = await skill({ instructions: 'x', input_schema: { type: 'object', properties: { items } } });
    await expect(run(made, { items: [{ 'a/b': 1 }, { 'a/b': 'two' }] })).rejects.toMatchObject({ param: 'input.items[1].a/b' });
  });
});

describe('typed output', () => {
  const typed = () => skill({ instructions: 'x', output_schema: priceOutput });

  it('sends the schema to the model and returns JSON, even from a code fence', async () => {
    const { calls, text, seen } = await run(await typed(), { text: 'y' }, ['```json\n{"price": 3}\n```'], { streamed: true });
    expect(text).toBe('{"price":3}');
    expect(calls).toHaveLength(1);
    expect(calls[0]?.body['response_format']).toMatchObject({ type: 'json_schema', json_schema: { schema: priceOutput } });
    expect(seen.map((event) => event.type)).toEqual(['response-start', 'text-delta', 'finish', 'response-end']);
  });

  it('sends the model one repair request with the error', async () => {
    const { calls, text } = await run(await typed(), { text: 'y' }, ['{"price":"three"}', '{"price":3}']);
    expect(text).toBe('{"price":3}');
    expect(messagesOf(calls[1]).slice(2)).toEqual([
      { role: 'assistant', content: '{"price":"three"}' },
      { role: 'user', content: expect.stringMatching(/price must be number/) as string },
    ]);
  });

  it('is output_invalid with the best attempt after the repair round, without a third request', async () => {
    let asked = 0;
    const made = await typed();
    await expect(
      made.invoke(
        { text: 'y' },
        {
          id: 'run',
          principal,
          signal: new AbortController().signal,
          model: 'model/scripted',
          tools: [],
          maxSteps: 8,
          streamed: false,
          conversation: noConversation,
          invoke: () => Promise.resolve(said(`attempt ${++asked}`, usage)),
          call: () => Promise.reject(new Error('not used')),
        },
      ),
    ).rejects.toMatchObject({ code: 'output_invalid', expose: { best_attempt: 'attempt 2' } });
    expect(asked).toBe(2);
  });
});

describe('options that cannot be saved', () => {
  it.each([
    [{ instructions: 'Hello {{ 1 + 1 }}' }, 'spec.options.instructions'],
    [{ instructions: 'Hello {{nobody}}' }, 'spec.options.instructions'],
    [{ instructions: 'x', prompt: '{{town}}', input_schema: cityInput }, 'spec.options.prompt'],
    [{ instructions: 'x', input_schema: { type: 'no such type' } }, 'spec.options.input_schema'],
    [{ instructions: 'x', output_schema: { $ref: 'https://elsewhere.example/schema' } }, 'spec.options.output_schema'],
    [{ instructions: 'x', parameters: { model: 'other' } }, 'spec.options.parameters.model'],
    [{ instructions: 'x', parameters: { messages: [] } }, 'spec.options.parameters.messages'],
  ])('%j is refused, naming %s', async (options, param) => {
    await expect(skill(options)).rejects.toMatchObject({ code: 'configuration_invalid', param });
  });

  it('a variable that the schema excludes is refused at any level that the schema closes', async () => {
    const nested = { type: 'object', properties: { who: { ...cityInput } }, additionalProperties: false };
    await expect(skill({ instructions: '{{who.town}}', input_schema: nested })).rejects.toMatchObject({
      param: 'spec.options.instructions',
      message: expect.stringContaining('who.town') as string,
    });
    await expect(skill({ instructions: '{{who.city}}', input_schema: nested })).resolves.toBeDefined();
  });

  it('an error for pipeline syntax names the syntax of prompts', async () => {
    await expect(skill({ instructions: 'Say {{input.text}}' })).rejects.toThrow(
      '{{input.text}} is not in the input_schema; it has text. In a prompt write {{text}}, without input.',
    );
    await expect(skill({ instructions: 'Say {{input.txt}}' })).rejects.toThrow('{{input.txt}} is not in the input_schema; it has text.');
  });

  it('an unknown option is refused by the schema', () => {
    expect(prompt.options.safeParse({ instructions: 'x', temprature: 1 }).success).toBe(false);
  });
});

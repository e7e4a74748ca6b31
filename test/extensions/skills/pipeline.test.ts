/** Pipeline steps: data flow, branches, lists, retries, and validation before the run. */
import { describe, expect, it } from 'vitest';
import pipeline from '../../../src/extensions/skills/pipeline.ts';
import { GatewayError } from '../../../src/types/errors.ts';
import type { Json } from '../../../src/types/json.ts';
import type { Plugin } from '../../../src/types/plugin.ts';
import { makeSkill, play } from './scripted-run.ts';

const make = (options: object) => makeSkill(pipeline as unknown as Plugin<'skill', never>, options);
const any = { type: 'object' };

describe('a pipeline', () => {
  it('that doubles its own text again and again ends within its memory limit', async () => {
    const steps = Array.from({ length: 40 }, (_, index) => ({
      id: `s${index}`,
      use: 'skill/echo',
      with: { text: index === 0 ? '{{input.text}}' : `{{steps.s${index - 1}}}{{steps.s${index - 1}}}` },
    }));
    const skill = await make({ steps });
    const played = play(skill, { text: 'twenty characters, ok' }, ({ body }) => body['text'] as Json);
    await expect(played).rejects.toMatchObject({ code: 'step_limit_reached', message: expect.stringContaining('Step "s20"') });
  });

  it.each([
    ['The results of the steps', { steps: [{ id: 'a', each: '{{input.list}}', use: 'skill/echo', with: { text: '{{input.text}}' } }] }],
    ['The output', { steps: [{ id: 'a', use: 'skill/echo' }], output: Array.from({ length: 100 }, () => '{{input.text}}') }],
  ])('%s are bounded', async (what, options) => {
    const skill = await make({ input_schema: any, ...options });
    const input = { list: Array.from({ length: 100 }, (_, index) => index), text: 'x'.repeat(1_000_000) };
    const played = play(skill, input, ({ body }) => body['text'] ?? null);
    await expect(played).rejects.toMatchObject({ code: 'step_limit_reached', message: expect.stringContaining(what) });
  });

  it('passes typed values between steps, takes branches, and maps over lists in order', async () => {
    const skill = await make({
      input_schema: any,
      steps: [
        { id: 'sort', with: { prompt: 'Sort {{input.items}}', schema: { type: 'object', required: ['labels'] } } },
        {
          id: 'each',
          each: '{{steps.sort.labels}}',
          use: 'skill/one',
          at_once: 2,
          with: { text: '{{item}} at {{index}}', n: '{{index}}' },
        },
        { id: 'never', when: { value: '{{steps.sort.kind}}', is: 'bug' }, use: 'skill/two' },
        {
          id: 'file',
          when: { all: [{ value: '{{steps.each}}', exists: true }, { not: { value: '{{steps.never}}', exists: true } }] },
          use: 'mcp/files/write',
          with: { lines: '{{steps.each}}' },
        },
      ],
      output: {
        sorted: '{{steps.sort.labels}}',
        lines: '{{steps.file.count}}',
        none: '{{steps.never}}',
        text: 'kind: {{steps.sort.kind}}',
      },
    });
    let running = 0;
    let most = 0;
    const { output, asked, steps } = await play(skill, { items: ['a', 'b', 'c'] }, ({ body }) => {
      running++;
      most = Math.max(most, running);
      running--;
      if ('lines' in body) return { count: (body['lines'] as Json[]).length };
      if ('n' in body) return `did ${JSON.stringify(body['text'])}`;
      return { labels: ['x', 'y', 'z'], kind: 'wish' };
    });
    expect(output).toEqual({ sorted: ['x', 'y', 'z'], lines: 3, none: null, text: 'kind: wish' });
    expect(asked.map(({ capability }) => capability)).toEqual(['model/scripted', 'skill/one', 'skill/one', 'skill/one', 'mcp/files/write']);
    expect(asked[2]?.body).toEqual({ text: 'y at 1', n: 1 });
    expect(asked.at(-1)?.body).toEqual({ lines: ['did "x at 0"', 'did "y at 1"', 'did "z at 2"'] });
    expect(steps).toContain('each 3/3');
  });

  it('retries where that may help, continues where allowed, and names the failed step', async () => {
    let asked = 0;
    const failing = (code: 'tool_failed' | 'permission_denied', times: number) => () => {
      if (asked++ < times) throw new GatewayError(code, 'no');
      return 'fine';
    };
    const options = (more: object) => ({ input_schema: any, steps: [{ id: 'call', use: 'mcp/a/b', ...more }] });
    const again = { retry: { times: 2, delay_ms: 0 } };
    expect((await play(await make(options(again)), {}, failing('tool_failed', 2))).text).toBe('fine');
    asked = 0;
    await expect(play(await make(options(again)), {}, failing('tool_failed', 3))).rejects.toMatchObject({
      code: 'tool_failed',
      message: 'Step "call": no',
    });
    expect(asked).toBe(3);
    asked = 0;
    expect((await play(await make(options({ on_error: 'null' })), {}, failing('tool_failed', 1))).text).toBe('');
    asked = 0;
    await expect(play(await make(options({ ...again, on_error: 'null' })), {}, failing('permission_denied', 9))).rejects.toMatchObject({
      code: 'permission_denied',
    });
    expect(asked).toBe(1);
  });

  it('ends with the first failure of a list, and holds to its output schema', async () => {
    const skill = await make({
      input_schema: any,
      steps: [{ id: 'all', each: '{{input.list}}', use: 'skill/x', with: { n: '{{item}}' } }],
    });
    await expect(
      play(skill, { list: [1, 2, 3, 4, 5, 6] }, ({ body }) => {
        if (Number(body['n']) > 2) throw new GatewayError('tool_failed', 'too many');
        return 'ok';
      }),
    ).rejects.toThrow('Step "all": too many');
    await expect(play(skill, { list: 7 }, () => '')).rejects.toThrow('is no list');
    const typed = await make({
      input_schema: any,
      output_schema: { type: 'object', required: ['a'] },
      steps: [{ id: 'x', use: 'skill/x' }],
    });
    await expect(play(typed, {}, () => ({ b: 1 }))).rejects.toMatchObject({ code: 'output_invalid' });
    expect((await play(typed, {}, () => ({ a: 1 }))).output).toEqual({ a: 1 });
  });

  it('keeps texts, reads fields of JSON texts, and keeps the types of structured values', async () => {
    const file = '{"id": 12345678901234567890, "v": 1.0, "list": [1, 2]}';
    const skill = await make({
      input_schema: any,
      steps: [
        { id: 'read', use: 'mcp/files/read' },
        { id: 'copy', use: 'mcp/files/write', with: { content: '{{steps.read}}' } },
        { id: 'count', use: 'skill/count' },
        { id: 'high', when: { value: '{{steps.count}}', above: 3 }, use: 'skill/high' },
        { id: 'each', each: '{{steps.read.list}}', use: 'skill/one', with: { n: '{{item}}' } },
        { id: 'none', when: { value: 1, is: 2 }, use: 'skill/none' },
        { id: 'over_none', each: '{{steps.none}}', use: 'skill/one' },
        { id: 'same', when: { value: { a: 1, b: '{{steps.count}}' }, is: { b: 7, a: 1 } }, use: 'skill/same' },
      ],
      output: { high: '{{steps.high}}', v: '{{steps.read.v}}', none: '{{steps.over_none}}', same: '{{steps.same}}' },
    });
    const answers: Record<string, Json> = { 'mcp/files/read': file, 'skill/count': 7, 'skill/high': 'yes', 'skill/same': 'yes' };
    const { output, asked, steps } = await play(skill, {}, ({ capability }) => answers[capability] ?? 'ok');
    expect(output).toEqual({ high: 'yes', v: 1, none: [], same: 'yes' });
    expect(asked.find(({ capability }) => capability === 'mcp/files/write')?.body).toEqual({ content: file });
    expect(asked.filter(({ capability }) => capability === 'skill/one').map(({ body }) => body)).toEqual([{ n: 1 }, { n: 2 }]);
    expect(steps).toContain('none');
  });

  it('reports the failed step too', async () => {
    const skill = await make({ input_schema: any, steps: [{ id: 'call', use: 'mcp/a/b', on_error: 'null' }] });
    const seen = await play(skill, {}, () => {
      throw new GatewayError('tool_failed', 'no');
    });
    expect(seen.stepRecords).toEqual([{ id: 'call 1/1', kind: 'progress', capability: 'call', status: 'failed', error: 'tool_failed' }]);
  });

  it('inserts values as data: references within them are not expanded', async () => {
    const skill = await make({
      input_schema: any,
      steps: [{ id: 'x', use: 'skill/x', with: { a: '{{input.text}}', b: 'say {{input.text}}' } }],
    });
    const { asked } = await play(skill, { text: '{{steps.x}} {{input.__proto__}}' }, () => 'ok');
    expect(asked[0]?.body).toEqual({ a: '{{steps.x}} {{input.__proto__}}', b: 'say {{steps.x}} {{input.__proto__}}' });
  });

  it.each([
    [[{ id: 'a', with: '{{steps.b}}' }], 'spec.options.steps[0].with'],
    [[{ id: 'a', with: '{{item}}' }], 'spec.options.steps[0].with'],
    [
      [
        { id: 'a', with: 'x' },
        { id: 'a', with: 'x' },
      ],
      'spec.options.steps[1].id',
    ],
    [[{ id: 'a' }], 'spec.options.steps[0].with'],
    [[{ id: 'a', with: { prompts: 'x' } }], 'spec.options.steps[0].with'],
    [[{ id: 'a', with: { prompt: 'x', schema: { type: 'nonsense' } } }], 'spec.options.steps[0].with.schema'],
    [[{ id: 'a', with: '{{input.txet}}' }], 'spec.options.steps[0].with'],
    [
      [
        { id: 'a', with: { prompt: 'x', schema: { type: 'object', properties: { kind: {} } } } },
        { id: 'b', with: '{{steps.a.kin}}' },
      ],
      'spec.options.steps[1].with',
    ],
    [[{ id: 'a', when: { value: 1, is: '{{steps.b}}' }, with: 'x' }], 'spec.options.steps[0].when'],
    [[{ id: 'a', each: '{{nothing}}' }], 'spec.options.steps[0].each'],
    [[{ id: 'a', when: { value: '{{ 1 + 1 }}', is: 1 } }], 'spec.options.steps[0].when'],
  ])('refuses %j when it is saved', async (steps, param) => {
    await expect(make({ steps })).rejects.toMatchObject({ code: 'configuration_invalid', param });
  });

  const typed = {
    type: 'object',
    properties: {
      n: { type: 'number' },
      yes: { type: 'boolean' },
      a: { type: 'object' },
      text: { type: 'string' },
      list: { type: 'array' },
    },
  };
  const isObject = { type: 'object', properties: { a: {} } };
  it.each<[string, object[], string]>([
    ['a list that is no place', [{ id: 'a', each: 'input.l', with: 'x' }], 'steps[0].each: must be a place such as "{{input.list}}".'],
    [
      'a number as a list',
      [{ id: 'a', each: '{{input.n}}', with: 'x' }],
      'steps[0].each: must be a place that holds a list, but {{input.n}} is a number.',
    ],
    ['a yes as a list', [{ id: 'a', each: '{{input.yes}}', with: 'x' }], '{{input.yes}} is true or false.'],
    ['the input as a list', [{ id: 'a', each: '{{input}}', with: 'x' }], '{{input}} is an object.'],
    [
      'an answer that is an object as a list',
      [
        { id: 'a', with: { prompt: 'x', schema: isObject } },
        { id: 'b', each: '{{steps.a}}', with: 'x' },
      ],
      'steps[1].each: must be a place that holds a list, but {{steps.a}} is an object.',
    ],
    ['so many at a time of one', [{ id: 'a', at_once: 2, with: 'x' }], 'steps[0].at_once: is for a step that has each'],
    [
      'two questions',
      [{ id: 'a', with: { prompt: 'x', messages: [] } }],
      'steps[0].with: has both prompt and messages; give one of the two.',
    ],
    ['two words of the system', [{ id: 'a', with: { system: 'x', messages: [] } }], 'steps[0].with: has both system and messages'],
    [
      'a model beside the words',
      [{ id: 'a', with: { prompt: 'x', model: 'b' } }],
      'steps[0].with.model: is no field here; name the model under use',
    ],
    [
      'a misspelt prompt',
      [{ id: 'a', with: { promt: 'x' } }],
      'steps[0].with: asks the model nothing; give a prompt, or messages ("promt" is not a field here; did you mean "prompt"?).',
    ],
    [
      'a misspelt system',
      [{ id: 'a', with: { prompt: 'x', sytem: 'y' } }],
      'steps[0].with.sytem: is not a field here; did you mean "system"?',
    ],
    [
      'a field of the input alone',
      [{ id: 'a', with: '{{text}}' }],
      '{{text}} is not known here; known are input; did you mean {{input.text}}?',
    ],
    [
      'a step that comes later',
      [
        { id: 'a', with: '{{steps.y}}' },
        { id: 'y', with: 'x' },
      ],
      '{{steps.y}} is not known here: the step "y" comes later; only earlier steps can be read.',
    ],
    ['itself', [{ id: 'a', with: '{{steps.a}}' }], 'the step "a" is this one; only earlier steps can be read.'],
  ])('names the accepted form of %s', async (_name, steps, sentence) => {
    await expect(make({ steps, input_schema: typed })).rejects.toThrow(sentence);
  });

  it('reports that a literal list must be a reference', () => {
    const { error } = pipeline.options.safeParse({ steps: [{ id: 'a', each: ['x'], with: 'x' }] });
    expect(error?.issues[0]?.message).toBe('must be a place such as "{{input.list}}"');
  });

  it('accepts lists that may be JSON in a text, and fields of a chat request', async () => {
    const steps = [
      {
        id: 'a',
        each: '{{input.text}}',
        with: { prompt: '{{item}}', temperature: 0, stream_options: {}, stop: 'x', seed: 1, store: false },
      },
      { id: 'b', each: '{{input.list}}', at_once: 1, with: 'x' },
      { id: 'c', each: '{{steps.a}}', with: 'x' },
    ];
    await expect(make({ steps, input_schema: typed })).resolves.toBeDefined();
  });
});

describe('a pipeline that runs', () => {
  it.each<[Json, string]>([
    ['seven', 'a text'],
    [[7], 'a list'],
    [true, 'true'],
  ])('compares only numbers: %j is reported', async (n, kind) => {
    const skill = await make({ input_schema: any, steps: [{ id: 'x', when: { value: '{{input.n}}', above: 3 }, use: 'skill/x' }] });
    await expect(play(skill, { n }, () => 'ran')).rejects.toMatchObject({
      code: 'invalid_request',
      message: `Step "x": when: above compares numbers, but {{input.n}} is ${kind}.`,
    });
  });

  it('treats null as neither above nor below, and returns an empty text for it', async () => {
    const skill = await make({
      input_schema: any,
      steps: [
        {
          id: 'x',
          when: {
            any: [
              { value: '{{input.n}}', above: 0 },
              { value: '{{input.n}}', below: 0 },
            ],
          },
          use: 'skill/x',
        },
      ],
    });
    expect((await play(skill, {}, () => 'ran')).text).toBe('');
    const typed = await make({ input_schema: any, output_schema: {}, steps: [{ id: 'x', when: { value: 1, is: 2 }, use: 'skill/x' }] });
    expect((await play(typed, {}, () => 'ran')).text).toBe('null');
  });

  it('names the skill whose input is incomplete', async () => {
    const skill = await make({ input_schema: any, steps: [{ id: 'a', use: 'skill/recipe2', with: {} }] });
    const failing = (message: string) =>
      play(skill, {}, () => {
        throw new GatewayError('invalid_request', message);
      });
    await expect(failing('input.text is missing.')).rejects.toThrow('Step "a": skill/recipe2: input.text is missing; give it under with.');
    await expect(failing('input.text is missing ("txt" is not a field here).')).rejects.toThrow(
      'skill/recipe2: input.text is missing ("txt" is not a field here); give it under with.',
    );
    await expect(failing('input.text must be string.')).rejects.toThrow('Step "a": skill/recipe2: input.text must be string.');
  });
});

describe('the prompt of a model step', () => {
  const ask = async (given: object, input: Json) => {
    const skill = await make({ input_schema: any, steps: [{ id: 'a', with: given }] });
    return (await play(skill, input, () => 'x')).asked[0]?.body['messages'];
  };
  it('is a text, whatever was inserted', async () => {
    expect(await ask({ system: '{{input.m}}', prompt: '{{input.姓名}}' }, { m: { a: 1 }, 姓名: '张三' })).toEqual([
      { role: 'system', content: '{"a":1}' },
      { role: 'user', content: '张三' },
    ]);
  });
  it.each([
    [{ prompt: '{{input.n}}' }, 'prompt is empty'],
    [{ messages: '{{input.t}}' }, 'must be a list of messages'],
  ])('is never the word null (%j)', async (given, words) => {
    await expect(ask(given, { t: 'text' })).rejects.toThrow(words);
  });
  it.each([
    [{ additionalProperties: true }],
    [{ additionalProperties: { type: 'string' } }],
    [{ if: {}, else: { properties: { extra: {} } } }],
  ])('may contain a field that the schema does not name, where the schema allows it (%j)', async (more) => {
    const input_schema = { ...any, properties: { a: {} }, ...more };
    await expect(make({ input_schema, steps: [{ id: 'a', with: { prompt: '{{input.extra}}' } }] })).resolves.toBeDefined();
  });
});

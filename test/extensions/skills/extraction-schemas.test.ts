/** Accepted and refused schemas of an extraction, and how they are applied. */
import { describe, expect, it } from 'vitest';
import dataExtraction from '../../../src/extensions/skills/data-extraction.ts';
import { readRecordSchema } from '../../../src/extensions/skills/extraction/record-schema.ts';
import type { Json } from '../../../src/types/json.ts';
import type { Plugin } from '../../../src/types/plugin.ts';
import { makeSkill, play, type Script } from './scripted-run.ts';
import { cpuMilliseconds } from '../../cpu-time.ts';

const make = (plugin: unknown, options: object = {}) => makeSkill(plugin as Plugin<'skill', never>, options);

describe('the schema of an extraction', () => {
  it('supports field names that look like a path, with a quote and without', async () => {
    const skill = await make(dataExtraction);
    const schema = { type: 'object', properties: { 'Price [EUR]': { type: 'number' }, lot: { type: 'object' } } };
    const text = 'Tea costs 5 EUR.';
    const said =
      (data: object, quotes: object): Script =>
      () =>
        ({ records: [{ data, quotes }] }) as unknown as Json;
    const proven = await play(skill, { text, schema }, said({ 'Price [EUR]': 5 }, { 'Price [EUR]': 'costs 5 EUR' }));
    expect(proven.output).toMatchObject({ data: { 'Price [EUR]': 5 }, evidence: [{ path: 'Price [EUR]', exact: true }] });
    for (const data of [{ 'Price [EUR]': 5 }, { lot: { 'a]': 5, '[b': [5] } }]) {
      const { output } = await play(skill, { text, schema }, said(data, {}));
      expect(output.data).toEqual({});
      expect(output.rejected.map(({ reason }: { reason: string }) => reason)).toContain('no quote was given');
    }
    const around = await play(skill, { text, schema }, said({ lot: { 'a]': 5 } }, { lot: 'costs 5 EUR' }));
    expect(around.output.data).toEqual({ lot: { 'a]': 5 } });
  });

  it('refuses a schema whose checks would block the event loop, and accepts a recursive one', async () => {
    const skill = await make(dataExtraction);
    const fields = (count: number, field: object) => ({
      type: 'object',
      properties: Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, field])),
    });
    const none: Script = () => ({ records: [] });
    const refused = async (schema: object) =>
      play(skill, { text: 'x', schema: schema as Json }, none).then(
        () => '',
        (error: Error) => error.message,
      );
    expect(await refused(fields(101, { type: 'string', pattern: '^(a|b){1,50}$' }))).toBe('input.schema has more than 100 patterns.');
    expect(await refused({ ...fields(1, {}), patternProperties: fields(101, {}).properties })).toContain('more than 100 patterns');
    expect(await refused({ allOf: Array.from({ length: 10 }, () => fields(300, { type: 'string' })) })).toContain('more than 5000 values');
    expect(await refused(fields(900, { type: 'string' }))).toBe('');

    const all = { $ref: '#/$defs/all' };
    const names = Array.from({ length: 150 }, (_, index) => `d${index}`);
    const woven = {
      type: 'object',
      properties: { a: all },
      $defs: {
        all: { anyOf: names.map((name) => ({ $ref: `#/$defs/${name}` })) },
        ...Object.fromEntries(names.map((name) => [name, { type: 'object', properties: { a: all, n: { type: 'number' } } }])),
      },
    };
    const { kindOf } = readRecordSchema(woven);
    const startedAt = cpuMilliseconds();
    for (let index = 0; index < 100; index++) kindOf('a.a.a.a.a.a.a.n');
    expect(cpuMilliseconds() - startedAt).toBeLessThan(2_000);
  });

  it.each<[string, object, object, object]>([
    ['names like its own words', { database: 'Postgres', data: 'Postgres' }, { database: 'Database: Postgres', data: 'Postgres' }, {}],
    ['years as names', { revenue: { '2023': 120 } }, { 'revenue.2023': '2023: 120' }, {}],
    ['paths from the root', { a: 'Postgres' }, { '$.a': 'Postgres' }, {}],
    ['names with brackets', { 'Price [EUR]': 120 }, { 'Price [EUR]': 'Revenue 2023: 120' }, {}],
    ['one of two', { mail: 'a@b.c' }, { mail: 'a@b.c' }, { oneOf: [{ required: ['mail'] }, { required: ['phone'] }] }],
    ['not both', { mail: 'a@b.c' }, { mail: 'a@b.c' }, { not: { required: ['mail', 'phone'] } }],
  ])('finds %s', async (_name, data, quotes, more) => {
    const skill = await make(dataExtraction);
    const text = 'Database: Postgres, mail a@b.c, Revenue 2023: 120';
    const fields = ['database', 'data', 'a', 'mail', 'phone'].map((name) => [name, { type: 'string' }]);
    const revenue = { type: 'object', properties: { 2023: { type: 'number' } } };
    const schema = { type: 'object', properties: { ...Object.fromEntries(fields), revenue, 'Price [EUR]': { type: 'number' } }, ...more };
    const { output } = await play(skill, { text, schema }, () => ({ records: [{ data, quotes }] }) as unknown as Json);
    expect(output).toMatchObject({ data, rejected: [], complete: true });
  });

  it.each([
    ['a text or nothing', { anyOf: [{ type: 'string' }, { type: 'null' }] }, 'Mallory', 'Invoice 4711', {}],
    ['an address', { type: 'string', format: 'email' }, 'm@evil.example', 'Write to', {}],
    ['one of few, deep within', { anyOf: [{ $ref: '#/$defs/k' }, { type: 'null' }] }, 'bug', 'It crashes', { a: 'bug' }],
  ])('verifies %s', async (_name, a, value, quote, data) => {
    const skill = await make(dataExtraction);
    const schema = { type: 'object', properties: { a }, $defs: { k: { enum: ['bug', 'wish'] } } };
    const { output } = await play(skill, { text: `${quote} now.`, schema }, () => ({
      records: [{ data: { a: value }, quotes: { a: quote } }],
    }));
    expect(output.data).toEqual(data);
  });

  it.each(['Price [EUR]', 'a]', 'a.b', '.', '[0]'])('ends when the field %j has no quote', async (name) => {
    const skill = await make(dataExtraction);
    const schema = { type: 'object', properties: { [name]: { type: 'number' } } };
    const { output } = await play(skill, { text: 'x', schema }, () => ({ records: [{ data: { [name]: 1 }, quotes: {} }] }));
    expect(output.rejected).toEqual([{ value: { [name]: 1 }, reason: 'no quote was given' }]);
  });

  it('sends schemas with definitions and references unchanged', async () => {
    const skill = await make(dataExtraction);
    const schema = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'array',
      items: { $ref: '#/$defs/Order' },
      $defs: {
        Order: { type: 'object', properties: { number: { type: 'string' }, money: { $ref: '#/$defs/Money' } }, required: ['number'] },
        Money: { type: 'object', properties: { amount: { type: 'number' }, currency: { enum: ['EUR', 'USD'] } } },
      },
    };
    const { output } = await play(skill, { text: 'Order A-1 costs 20 euros.', schema }, () => ({
      records: [
        {
          data: { number: 'A-1', money: { amount: 20, currency: 'EUR' } },
          quotes: { number: 'Order A-1', money: 'costs 20 euros', 'money.currency': '20 euros' },
        },
      ],
    }));
    expect(output).toMatchObject({ data: [{ number: 'A-1', money: { amount: 20, currency: 'EUR' } }], complete: true, rejected: [] });
  });

  it('supports recursive schemas', async () => {
    const skill = await make(dataExtraction);
    const schema = {
      type: 'object',
      properties: { name: { type: 'string' }, parts: { type: 'array', items: { $ref: '#' }, minItems: 1 } },
      required: ['name'],
    };
    const { output, asked } = await play(skill, { text: 'The car has a door, which has a handle.', schema }, () => ({
      records: [
        {
          data: { name: 'car', parts: [{ name: 'door', parts: [{ name: 'handle' }] }] },
          quotes: { name: 'The car', 'parts[0].name': 'a door', 'parts[0].parts[0].name': 'a handle' },
        },
      ],
    }));
    expect(asked).toHaveLength(1);
    expect(output).toMatchObject({ data: { name: 'car', parts: [{ name: 'door', parts: [{ name: 'handle' }] }] }, complete: true });
    const wrong: Json = { records: [{ data: { name: 'car', parts: [{ name: 7 }] }, quotes: {} }] };
    await expect(play(skill, { text: 'x', schema }, () => wrong)).rejects.toThrow('records[0].data.parts[0].name');
  });

  it.each([
    [{ type: 'string' }, 'must be of an object with properties'],
    [{ type: 'string', properties: { a: {} } }, 'must be of an object with properties'],
    [{ type: 'object' }, 'must be of an object with properties'],
    [{ type: 'array', items: { type: 'object', properties: {} } }, 'must be of an object with properties'],
    [{ type: 'object', properties: { a: { type: 'nonsense' } } }, 'is not a usable JSON Schema'],
  ])('a row with the schema %j is refused when it is saved', async (schema, words) => {
    await expect(make(dataExtraction, { schema })).rejects.toMatchObject({
      code: 'configuration_invalid',
      param: 'spec.options.schema',
      message: expect.stringContaining(`spec.options.schema: ${words}`) as string,
    });
  });
});

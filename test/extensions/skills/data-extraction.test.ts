/** Extraction on scripted models: every fact once, each with a verified quote, none invented, in chunks of any size. */
import { describe, expect, it } from 'vitest';
import dataExtraction from '../../../src/extensions/skills/data-extraction.ts';
import type { Json } from '../../../src/types/json.ts';
import type { Plugin } from '../../../src/types/plugin.ts';
import { makePdf } from './document-builders.ts';
import { makeSkill, play, type Script } from './scripted-run.ts';
import { cpuMilliseconds } from '../../cpu-time.ts';

const make = (plugin: unknown, options: object = {}) => makeSkill(plugin as Plugin<'skill', never>, options);

describe('data-extraction', () => {
  const orders = {
    type: 'array',
    items: {
      type: 'object',
      properties: { number: { type: 'string' }, amount: { type: 'number' }, note: { type: 'string' } },
      required: ['number', 'amount'],
      additionalProperties: false,
    },
  };
  /** Returns the planted facts, and one invented fact in each chunk. */
  const finder: Script = ({ user }) => ({
    records: [
      ...[...user.matchAll(/Order (\w-\d+) costs ([\d,.]+) EUR/g)].map(([quote, number, amount]) => ({
        data: { number: number ?? '', amount: Number(amount?.replaceAll(',', '')) },
        quotes: { number: quote, amount: quote },
      })),
      { data: { number: 'X-666', amount: 1 }, quotes: { number: 'Order X-666 costs 1 EUR', amount: 'costs 1 EUR' } },
    ] as unknown as Json,
  });

  it('returns every planted fact once with a true quote and its place, and no invented fact, over 300 pages', async () => {
    const filler = 'The quick brown fox jumps over the lazy dog. '.repeat(30).replaceAll(/(.{80}) /g, '$1\n');
    const pages = Array.from({ length: 300 }, (_, index) =>
      index % 7 === 0 ? `${filler}\nOrder A-${index} costs ${index === 0 ? '1,299.50' : index} EUR.\n${filler}` : filler,
    );
    const skill = await make(dataExtraction, { overlap_chars: 600 });
    const document = { base64: makePdf(pages).toString('base64') };
    const { output, asked, steps } = await play(skill, { document, schema: orders }, finder);
    const planted = pages.flatMap((_, index) => (index % 7 === 0 ? [`A-${index}`] : []));
    expect(output.data.map((order: { number: string }) => order.number).toSorted()).toEqual(planted.toSorted());
    expect(output.data.find((order: { number: string }) => order.number === 'A-0')).toEqual({ number: 'A-0', amount: 1299.5 });
    expect(output.evidence).toHaveLength(planted.length * 2);
    const at = output.data.findIndex((order: { number: string }) => order.number === 'A-294');
    expect(output.evidence).toContainEqual({ path: `[${at}].number`, quote: 'Order A-294 costs 294 EUR', source: 'page 295', exact: true });
    expect(output.rejected.length).toBe(asked.length * 2);
    expect(output.complete).toBe(true);
    expect(steps.at(-1)).toBe(`part read ${asked.length}/${asked.length}`);
  });

  it('rejects a value that its quote does not support, and a quote from another part', async () => {
    const skill = await make(dataExtraction);
    const text = 'Order A-1 costs 20 EUR.';
    const said =
      (data: object, quotes: object): Script =>
      () =>
        ({ records: [{ data, quotes }] }) as unknown as Json;
    const amount = await play(
      skill,
      { text, schema: orders },
      said({ number: 'A-1', amount: 21 }, { number: 'Order A-1', amount: 'costs 20 EUR' }),
    );
    expect(amount.output).toMatchObject({ data: [{ number: 'A-1' }], complete: false, rejected: [{ value: { amount: 21 } }] });
    const unquoted = await play(skill, { text, schema: orders }, said({ number: 'A-1', amount: 20 }, { number: 'Order  A-1' }));
    expect(unquoted.output.rejected).toEqual([{ value: { amount: 20 }, reason: 'no quote was given' }]);
    expect(unquoted.output.evidence).toEqual([{ path: '[0].number', quote: 'Order A-1', source: 'beginning', exact: true }]);
  });

  it('accepts a partial quote, and cites the place of the rest of the record', async () => {
    const skill = await make(dataExtraction);
    const document = { base64: makePdf(['Order A-1 costs 1500 EUR', 'Order A-2 costs 1500 EUR.\n**Total** 3,000 EUR']).toString('base64') };
    const { output } = await play(skill, { document, schema: orders }, () => ({
      records: [
        { data: { number: 'A-1', amount: 150 }, quotes: { number: 'order a-1', amount: 'costs 150' } },
        { data: { number: 'A-2', amount: 1500 }, quotes: { number: 'Order A-2', amount: 'costs 1500 EUR' } },
      ],
    }));
    expect(output.data).toEqual([{ number: 'A-1' }, { number: 'A-2', amount: 1500 }]);
    expect(output.rejected).toEqual([{ value: { amount: 150 }, reason: '"costs 1500" does not say it' }]);
    expect(output.evidence.map(({ path, source }: { path: string; source: string }) => `${path} ${source}`)).toEqual([
      '[0].number page 1',
      '[1].number page 2',
      '[1].amount page 2',
    ]);
  });

  it('merges one record from many parts, and reports contradictions', async () => {
    const skill = await make(dataExtraction, { piece_chars: 1_000, overlap_chars: 0 });
    const pad = 'x '.repeat(450);
    const text = `# A\nThe buyer is Ann. ${pad}\n# B\nThe seller is Bob. ${pad}\n# C\nThe buyer is Eve. ${pad}`;
    const schema = { type: 'object', properties: { buyer: { type: 'string' }, seller: { type: 'string' } }, required: ['buyer', 'seller'] };
    const { output } = await play(skill, { text, schema }, ({ user }) => {
      const found = [...user.matchAll(/The (buyer|seller) is (\w+)/g)].map(([quote, field = '', value]) => ({
        data: { [field]: value },
        quotes: { [field]: quote },
      }));
      return { records: found.slice(0, 1) };
    });
    expect(output).toMatchObject({
      data: { buyer: 'Ann', seller: 'Bob' },
      complete: true,
      evidence: [
        { path: 'buyer', source: 'A' },
        { path: 'seller', source: 'B' },
      ],
      rejected: [{ value: { buyer: 'Eve' } }],
    });
  });

  it('verifies each value of an invoice whose lines span pages, and merges the lines', async () => {
    const skill = await make(dataExtraction, { piece_chars: 1_000, overlap_chars: 200 });
    const pad = 'Terms and conditions apply. '.repeat(12);
    const lines = Array.from({ length: 30 }, (_, index) => `${index + 1}. Tea no ${index + 1}: ${index + 1}.50 EUR`);
    const pages = [`Bill 77 of Ann\n${pad}`, ...[0, 10, 20].map((at) => `${lines.slice(at, at + 10).join('\n')}\n${pad}`), 'Total 480 EUR'];
    const document = { base64: makePdf(pages).toString('base64') };
    const line = { type: 'object', properties: { name: { type: 'string' }, price: { type: 'number' } }, required: ['name', 'price'] };
    const schema = {
      type: 'object',
      properties: { number: { type: 'string' }, lines: { type: 'array', items: line, minItems: 1 }, total: { type: 'number' } },
      required: ['number', 'lines', 'total'],
    };
    const { output } = await play(skill, { document, schema }, ({ user }) => {
      const found = [...user.matchAll(/(Tea no \d+): ([\d.]+) EUR/g)];
      const total = /Total (\d+) EUR/.exec(user);
      const data = {
        ...(user.includes('Bill 77') ? { number: '77' } : {}),
        lines: found.map(([, name = '', price]) => ({ name, price: Number(price) })),
        ...(total === null ? {} : { total: Number(total[1]) }),
      };
      const quotes = Object.fromEntries(found.map(([quote], index) => [`lines[${index}]`, quote]));
      return { records: [{ data, quotes: { ...quotes, number: 'Bill 77', total: total?.[0] ?? '' } }] };
    });
    expect(output.data.lines).toHaveLength(30);
    expect(output.data.lines[29]).toEqual({ name: 'Tea no 30', price: 30.5 });
    expect(output).toMatchObject({ data: { number: '77', total: 480 }, complete: true, rejected: [] });
    expect(output.evidence).toContainEqual({ path: 'lines[29].price', quote: 'Tea no 30: 30.50 EUR', source: 'page 4', exact: true });
  });

  it('applies the quote of a whole line only to values in it', async () => {
    const schema = {
      type: 'object',
      properties: {
        person: { type: 'object', properties: { name: { type: 'string' }, born: { type: 'string' }, city: { type: 'string' } } },
      },
    };
    const skill = await make(dataExtraction);
    const { output } = await play(skill, { text: 'Ann, born on 1 May 1990.', schema }, () => ({
      records: [
        {
          data: { person: { name: 'Ann', born: '1990-05-01', city: 'Paris' } },
          quotes: { person: 'Ann, born on 1 May 1990', 'person.born': '1 May 1990' },
        },
      ],
    }));
    expect(output.data).toEqual({ person: { name: 'Ann', born: '1990-05-01' } });
    expect(output.evidence.map(({ path, exact }: { path: string; exact: boolean }) => [path, exact])).toEqual([
      ['person.name', true],
      ['person.born', false],
    ]);
    expect(output.rejected).toEqual([{ value: { 'person.city': 'Paris' }, reason: '"Ann, born on 1 May 1990" does not say it' }]);
  });

  it.each([
    ['once', 1],
    ['each', 2],
  ])('two equal lines of an invoice are %s counted', async (repeated, count) => {
    const skill = await make(dataExtraction, { piece_chars: 1_000, overlap_chars: 300 });
    const pad = 'x '.repeat(380);
    // Far apart, and the second within the overlap of two chunks.
    const text = `Order A-1 costs 5 EUR.\n${pad}\n${pad}Order A-1 costs 5 EUR.\n${pad}`;
    const { output, asked } = await play(skill, { text, schema: orders, repeated }, finder);
    expect(asked.length).toBeGreaterThan(2);
    expect(output.data).toHaveLength(count);
  });

  it('counts equal lines of one invoice separately where requested, but none twice because of overlapping chunks', async () => {
    const skill = await make(dataExtraction, { piece_chars: 1_000, overlap_chars: 300 });
    const pad = 'x '.repeat(300);
    const text = `Coffee 2.50\nTea 1.00\nCoffee 2.50\n${pad}\nTea 1.00\n${pad}\nTea 1.00\n${'y '.repeat(100)}`;
    const schema = { type: 'object', properties: { lines: { type: 'array', items: { type: 'string' } } } };
    const finding: Script = ({ user }) => {
      const lines = [...user.matchAll(/(?:Coffee|Tea) [\d.]+/g)].map(([line]) => line);
      const quotes = Object.fromEntries(lines.map((line, index) => [`lines[${index}]`, line]));
      return { records: lines.length === 0 ? [] : [{ data: { lines }, quotes }] };
    };
    const each = await play(skill, { text, schema, repeated: 'each' }, finding);
    expect(each.asked.length).toBeGreaterThan(1);
    expect(each.output.data.lines.toSorted()).toEqual(['Coffee 2.50', 'Coffee 2.50', 'Tea 1.00', 'Tea 1.00', 'Tea 1.00']);
  });

  it('rejects a text value that its quote does not contain, unless it is an enum value', async () => {
    const skill = await make(dataExtraction);
    const schema = { type: 'object', properties: { debt: { type: 'string' }, kind: { enum: ['bill', 'letter'] } } };
    const { output } = await play(skill, { text: 'The total is due. Invoice.', schema }, () => ({
      records: [{ data: { debt: 'Evil Corp owes 10M', kind: 'bill' }, quotes: { debt: 'The total is due', kind: 'Invoice' } }],
    }));
    expect(output).toMatchObject({ data: { kind: 'bill' }, rejected: [{ value: { debt: 'Evil Corp owes 10M' } }] });
  });

  it('merges thousands of records without delay', async () => {
    const skill = await make(dataExtraction, { piece_chars: 2_000, overlap_chars: 200 });
    const text = Array.from({ length: 6_000 }, (_, index) => `Order A-${index} costs ${index} EUR.`).join('\n');
    let longest = 0;
    let last = cpuMilliseconds();
    const timer = setInterval(() => {
      longest = Math.max(longest, cpuMilliseconds() - last);
      last = cpuMilliseconds();
    }, 5);
    const { output } = await play(skill, { text, schema: orders }, finder);
    await new Promise((resolve) => setTimeout(resolve, 10));
    clearInterval(timer);
    expect(output.data).toHaveLength(6_000);
    // A pairwise comparison would take a minute.
    expect(longest).toBeLessThan(3_000);
  });

  it('finds quotes that continue on the next page, and a record that two chunks share', async () => {
    const skill = await make(dataExtraction, { piece_chars: 1_000, overlap_chars: 200 });
    const filler = 'Lorem ipsum dolor sit amet. '.repeat(31);
    const document = { base64: makePdf([`${filler}\nOrder A-9 costs`, `7 EUR, paid by Ann.\n${filler}`]).toString('base64') };
    const schema = { type: 'array', items: { type: 'object', properties: { number: { type: 'string' }, amount: { type: 'number' } } } };
    const { output } = await play(skill, { document, schema }, ({ user }) => {
      const number = /Order (A-9) costs/.exec(user);
      const amount = /costs\s+(?:\[2: page 2\]\s+)?7 EUR/.test(user) ? 'Order A-9 costs 7 EUR' : null;
      if (number === null) return { records: [] };
      return {
        records: [
          {
            data: { number: 'A-9', ...(amount === null ? {} : { amount: 7 }) },
            quotes: { number: 'Order A-9 costs', ...(amount === null ? {} : { amount }) },
          },
        ],
      };
    });
    expect(output.data).toEqual([{ number: 'A-9', amount: 7 }]);
    expect(output.evidence).toContainEqual({ path: '[0].amount', quote: 'Order A-9 costs 7 EUR', source: 'page 1', exact: true });
  });

  it('normalizes near-miss answers without a repair', async () => {
    const skill = await make(dataExtraction, { repairs: 0 });
    const said =
      '```json\n[{"data": {"number": "A-1", "amount": "1.299,50", "note": null,},\n"quotes": {"number": "A-1",\n"amount": ["costs\n1.299,50"], "note": null}},]\n```';
    const { output } = await play(skill, { text: 'Order A-1 costs 1.299,50 EUR.', schema: orders }, () => said);
    expect(output).toMatchObject({ data: [{ number: 'A-1', amount: 1299.5 }], rejected: [], complete: true });
  });

  it('repairs with the validator’s message, and reports when a repair fails', async () => {
    const skill = await make(dataExtraction, { repairs: 1 });
    const wrong: Json = { records: [{ data: { number: 7 }, quotes: {} }] };
    const repaired = await play(skill, { text: 'nothing', schema: orders }, ({ turn }) => (turn === 1 ? wrong : { records: [] }));
    expect(JSON.stringify(repaired.asked[1]?.body['messages'])).toContain('records[0].data');
    expect(repaired.output).toMatchObject({ data: [], complete: true });
    await expect(play(skill, { text: 'nothing', schema: orders }, () => wrong)).rejects.toMatchObject({ code: 'output_invalid' });
  });

  it.each([
    [{ text: 'x' }, 'input.schema'],
    [{ text: 'x', schema: { type: 'string' } }, 'input.schema'],
    [{ text: 'x', schema: { type: 'object', properties: { a: { type: 'nonsense' } } } }, 'input.schema'],
    [{ schema: orders }, 'input.text'],
    [{ text: 'x', schema: orders, more: 1 }, 'input.more'],
    [{ text: 'x', schema: { type: 'object', properties: {} } }, 'input.schema'],
  ])('refuses the input %j and names its path', async (input, param) => {
    await expect(play(await make(dataExtraction), input as Json, () => '')).rejects.toMatchObject({ code: 'invalid_request', param });
  });
});

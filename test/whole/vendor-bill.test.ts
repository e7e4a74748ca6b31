/** A vendor's bill: usage by deployment and by provider is that of attempts, whatever became of them. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { postgresUrl } from '../storage/databases.ts';
import { eventually, startGateway, type TestGateway } from './gateway.ts';
import { answerOk, chunks, startVendor, type Vendor } from './vendor.ts';

const price = { currency: 'USD', input: '1000000', output: '1000000' };
const messages = [{ role: 'user', content: 'Hi' }];
const databases = [
  { name: 'SQLite', missing: false },
  { name: 'PostgreSQL', missing: postgresUrl === undefined },
];

async function onServer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: postgresUrl });
  await client.connect();
  await client.query(statement);
  await client.end();
}

describe.each(databases)("a vendor's bill on $name", ({ name, missing }) => {
  const databaseName = `pailou_bill_${randomBytes(6).toString('hex')}`;
  let gateway: TestGateway;
  let first: Vendor;
  let second: Vendor;

  beforeAll(async () => {
    if (missing) return;
    const env: Record<string, string> = {};
    if (name === 'PostgreSQL') {
      await onServer(`create database ${databaseName}`);
      const url = new URL(postgresUrl ?? '');
      url.pathname = `/${databaseName}`;
      env['PAILOU_DATABASE_URL'] = url.href;
    }
    gateway = await startGateway(env);
    first = await startVendor();
    second = await startVendor();
    for (const [provider, vendor] of Object.entries({ first, second })) {
      const spec = { kind: 'openai-compatible', options: { base_url: vendor.url, api_key: 'k' } };
      await gateway.as('admin', 'POST', '/api/providers', { name: provider, spec });
    }
    const deployments = [
      { provider: 'first', model: 'up', price },
      { provider: 'second', model: 'up', price, tier: 2 },
    ];
    const specs = {
      plain: { deployments: [deployments[0]] },
      billed: { deployments, retry: { same: 0 } },
      resumed: { deployments, retry: { same: 0 }, interrupted: 'resume' },
      hedged: { deployments, hedge: { unknown_ms: 50 } },
    };
    for (const [model, spec] of Object.entries(specs)) {
      const made = await gateway.as('admin', 'POST', '/api/models', { name: model, spec });
      expect(made.status, made.text).toBe(201);
    }
  });
  afterAll(async () => {
    if (missing) return;
    await gateway[Symbol.asyncDispose]();
    await first[Symbol.asyncDispose]();
    await second[Symbol.asyncDispose]();
    if (name === 'PostgreSQL') await onServer(`drop database ${databaseName} with (force)`);
  });

  const call = (model: string, stream = false) => gateway.as('admin', 'POST', '/v1/chat/completions', { model, messages, stream });

  interface Line {
    readonly calls: number;
    readonly attempts: number;
    readonly input_tokens: number;
    readonly output_tokens: number;
    readonly cost: number;
    readonly estimated: number;
    readonly currency: string | null;
  }
  /** The lines of one deployment or provider, summed. */
  async function billOf(by: string, value: string): Promise<Omit<Line, 'currency'>> {
    const { json } = await gateway.as('admin', 'GET', `/api/usage?by=${by}`);
    const sum = { calls: 0, attempts: 0, input_tokens: 0, output_tokens: 0, cost: 0, estimated: 0 };
    for (const line of json.data as (Line & Record<string, unknown>)[])
      if (line[by] === value) for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += line[key];
    return sum;
  }
  const settled = (model: string, calls: number) =>
    eventually(
      () => gateway.as('admin', 'GET', '/api/usage?by=model'),
      ({ json }) => json.data.find((line: Record<string, unknown>) => line['model'] === model)?.calls === calls,
    );

  it.skipIf(missing)('has the tokens and the money of plain calls, by deployment and by provider', async () => {
    for (let index = 0; index < 3; index++) expect((await call('plain', index === 2)).status).toBe(200);
    await settled('plain', 3);
    const bill = { calls: 3, attempts: 3, input_tokens: 15, output_tokens: 5, cost: 20, estimated: 0 };
    expect(await billOf('deployment', 'plain#first/up')).toEqual(bill);
    expect(await billOf('provider', 'first')).toEqual(bill);
  });

  it.skipIf(missing)('has a failed first attempt that the vendor counted', async () => {
    first.behave((_request, response) => {
      const usage = { prompt_tokens: 11, completion_tokens: 3, total_tokens: 14 };
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const counts = { id: 'v', object: 'chat.completion.chunk', created: 1, model: 'up', choices: [], usage };
      response.end(`data: ${JSON.stringify(counts)}\n\ndata: [DONE]\n\n`);
    });
    expect((await call('billed', true)).headers.get('x-pailou-deployment')).toBe('billed#second/up');
    await settled('billed', 1);
    expect(await billOf('deployment', 'billed#first/up')).toMatchObject({
      calls: 0,
      attempts: 1,
      input_tokens: 11,
      output_tokens: 3,
      cost: 14,
    });
    expect(await billOf('deployment', 'billed#second/up')).toMatchObject({
      calls: 1,
      attempts: 1,
      input_tokens: 5,
      output_tokens: 1,
      cost: 6,
    });
    const { json } = await gateway.as('admin', 'GET', '/api/usage?by=model');
    const line = json.data.find((each: Record<string, unknown>) => each['model'] === 'billed');
    expect(line, 'the caller is charged for the answer alone').toMatchObject({ input_tokens: 5, output_tokens: 1, cost: 6 });
  });

  it.skipIf(missing)('has both parts of an answer that was resumed elsewhere', async () => {
    first.behave((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const [role = '', ...words] = chunks(['one ', 'two ', 'three ']);
      response.write([role, ...words.slice(0, 2)].join(''), () => setTimeout(() => response.destroy(), 50));
    });
    second.behave((request, response) => answerOk(request, response, 'one two three four'));
    const answer = await call('resumed', true);
    expect(answer.text).toContain('[DONE]');
    await settled('resumed', 1);
    const cut = await billOf('deployment', 'resumed#first/up');
    const rest = await billOf('deployment', 'resumed#second/up');
    expect(cut).toMatchObject({ attempts: 1, estimated: 1 });
    expect(cut.input_tokens).toBeGreaterThan(0);
    expect(cut.output_tokens).toBeGreaterThan(0);
    expect(rest).toMatchObject({ attempts: 1, estimated: 0, input_tokens: 5, output_tokens: 4 });
    const { json } = await gateway.as('admin', 'GET', '/api/usage?by=model');
    const line = json.data.find((each: Record<string, unknown>) => each['model'] === 'resumed');
    expect(line.input_tokens, 'both parts are in the run').toBe(cut.input_tokens + rest.input_tokens);
    expect(line.cost).toBeCloseTo(cut.cost + rest.cost, 6);
  });

  it.skipIf(missing)('has the slower attempt of a hedge, at least for the prompt', async () => {
    second.behave((request, response) => answerOk(request, response));
    first.behave((_request, response) => {
      // Accepted, and then silent.
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(': working\n\n');
    });
    expect((await call('hedged', true)).text).toContain('[DONE]');
    await settled('hedged', 1);
    expect(await billOf('deployment', 'hedged#first/up')).toMatchObject({ attempts: 1, input_tokens: 5, output_tokens: 0, estimated: 1 });
    expect(await billOf('deployment', 'hedged#second/up')).toMatchObject({ attempts: 1, input_tokens: 5, output_tokens: 1 });
  });

  it.skipIf(missing)('adds up over all deployments of a provider, in pages and as CSV too', async () => {
    const { json } = await gateway.as('admin', 'GET', '/api/usage?by=deployment');
    const lines = json.data as (Line & { deployment: string | null })[];
    const ofFirst = lines.filter(({ deployment }) => deployment?.includes('#first/') === true);
    const whole = await billOf('provider', 'first');
    expect(whole.input_tokens).toBe(ofFirst.reduce((sum, line) => sum + line.input_tokens, 0));
    expect(whole.attempts).toBe(ofFirst.reduce((sum, line) => sum + line.attempts, 0));
    const paged: Line[] = [];
    for (let after = ''; ;) {
      const page = (await gateway.as('admin', 'GET', `/api/usage?by=deployment,day&limit=1${after}`)).json;
      paged.push(...page.data);
      if (page.next === null) break;
      after = `&after=${page.next}`;
    }
    expect(paged.reduce((sum, line) => sum + line.attempts, 0)).toBe(lines.reduce((sum, line) => sum + line.attempts, 0));
    const csv = await gateway.as('admin', 'GET', '/api/usage?by=provider&format=csv');
    expect(csv.text.split('\n')[0]).toMatch(/^provider,currency,attempts,calls/);
  });

  it.skipIf(missing).each(['deployment', 'provider'])('adds up to the same by %s over hours and over days', async (by) => {
    type Amounts = Record<string, [number, number, number]>;
    const { json } = await gateway.as('admin', 'GET', `/api/usage?by=${by}`);
    const bill: Amounts = {};
    for (const line of json.data as (Line & Record<string, unknown>)[]) {
      const [input, output, cost] = bill[String(line[by])] ?? [0, 0, 0];
      bill[String(line[by])] = [input + line.input_tokens, output + line.output_tokens, cost + line.cost];
    }
    expect(Object.keys(bill).length).toBeGreaterThan(1);
    for (const step of ['hour', 'day']) {
      const report = await gateway.as('admin', 'GET', `/api/reports/series?by=${by}&step=${step}`);
      interface Total {
        readonly input_tokens: number;
        readonly output_tokens: number;
        readonly cost: Record<string, number>;
      }
      const amounts = ({ input_tokens: input, output_tokens: output, cost }: Total): Amounts[string] => [input, output, cost['USD'] ?? 0];
      const series = report.json.series as { of: Record<string, string | null>; total: Total; points: Total[] }[];
      expect(Object.fromEntries(series.map(({ of, total }) => [String(of[by]), amounts(total)])), step).toEqual(bill);
      const input = Object.values(bill).reduce((sum, [each]) => sum + each, 0);
      expect(report.json.total.input_tokens, step).toBe(input);
    }
  });
});

/** Every operation with every way of counting: the ledger, the report, the attempt and the budget agree. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countingSamples, type CountingSample } from '../../scripts/counting-samples.ts';
import { eventually, startGateway, type TestGateway } from './gateway.ts';
import { startVendor, type Vendor } from './vendor.ts';

let gateway: TestGateway;
let vendor: Vendor;

const made = async (path: string, body: object): Promise<void> => {
  const answer = await gateway.as('admin', 'POST', path, body);
  expect(answer.status, answer.text).toBe(201);
};

beforeAll(async () => {
  gateway = await startGateway();
  vendor = await startVendor();
  for (const kind of ['openai-compatible', 'openrouter'])
    await made('/api/providers', {
      name: kind,
      spec: { kind, options: { base_url: vendor.url, ...(kind === 'openrouter' ? { api_key: 'k' } : {}) } },
    });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

const answers: Readonly<Record<string, object>> = {
  chat: {
    id: 'v',
    object: 'chat.completion',
    created: 1,
    model: 'up',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Two words' }, finish_reason: 'stop' }],
  },
  embeddings: { object: 'list', data: [{ index: 0, embedding: [1, 2] }] },
  rerank: { results: [{ index: 0, relevance_score: 1 }] },
  images: {
    created: 1,
    data: [
      { b64_json: 'AAAA', url: null },
      { b64_json: 'BBBB', url: null },
    ],
  },
  transcriptions: { text: 'Two words' },
};

function answerWith(operation: string, counts: object): void {
  vendor.behave((_request, response) => {
    const isSound = operation === 'speech';
    response.writeHead(200, { 'content-type': isSound ? 'audio/mpeg' : 'application/json' });
    response.end(isSound ? Buffer.from([0xff, 0xfb, 0x90, 0]) : JSON.stringify({ ...answers[operation], ...counts }));
  });
}

/** Two seconds of silence at 8,000 bytes a second. */
function wave(): Blob {
  const head = Buffer.alloc(44);
  head.write('RIFF').valueOf();
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt32LE(8_000, 24);
  head.writeUInt32LE(8_000, 28);
  head.write('data', 36);
  head.writeUInt32LE(16_000, 40);
  return new Blob([head, Buffer.alloc(16_000)], { type: 'audio/wav' });
}

const asked: Readonly<Record<string, { path: string; body?: object }>> = {
  chat: { path: '/v1/chat/completions', body: { messages: [{ role: 'user', content: 'Hi' }], max_tokens: 300 } },
  embeddings: { path: '/v1/embeddings', body: { input: 'Hi' } },
  rerank: { path: '/v1/rerank', body: { query: 'Hi', documents: ['a'] } },
  images: { path: '/v1/images/generations', body: { prompt: 'Hi', n: 2, size: '512x512' } },
  speech: { path: '/v1/audio/speech', body: { input: 'Hi 👋!', voice: 'v' } },
};

async function ask(operation: string, model: string): Promise<number> {
  if (operation !== 'transcriptions') {
    const { path, body } = asked[operation] as { path: string; body: object };
    return (await gateway.as('developer', 'POST', path, { model, ...body })).status;
  }
  const form = new FormData();
  form.set('model', model);
  form.set('file', wave(), 'a.wav');
  const headers = { authorization: `Bearer ${await gateway.token('developer')}` };
  const answer = await fetch(`${gateway.url}/v1/audio/transcriptions`, { method: 'POST', headers, body: form });
  await answer.text();
  return answer.status;
}

const nameOf = (sample: CountingSample): string => `m${countingSamples.indexOf(sample)}`;

interface RunLine {
  readonly id: string;
  readonly capability: string;
  readonly usage: Readonly<Record<string, unknown>> | null;
  readonly cost: number | null;
}

const runOf = (model: string): Promise<RunLine | undefined> =>
  eventually(
    async () =>
      ((await gateway.as('admin', 'GET', '/api/runs?limit=500')).json.data as RunLine[]).find((run) => run.capability === `model/${model}`),
    (run) => run !== undefined,
  );

describe.each(countingSamples.map((sample) => ({ ...sample, sample })))('$operation, counted by $way', ({ sample }) => {
  const { operation, counts, booked, price, cost, kind = 'openai-compatible' } = sample;

  it('is recorded once, in its own unit and at its price, in run, report and budget', async () => {
    const name = nameOf(sample);
    const deployment = { provider: kind, model: 'up', ...(Object.keys(price).length === 0 ? {} : { price }) };
    await made('/api/models', { name, spec: { deployments: [deployment], operations: [operation] } });
    const limit = { subject_type: 'tenant', capability: `model/${name}`, expected_output_tokens: 1, unknown_price: 'allow' };
    // Room for one call, but not for a second one.
    await made('/api/limits', { name, spec: { ...limit, spend: { currency: 'USD', per_day: Math.max(cost, 0.01) * 1.5 } } });
    answerWith(operation, counts);
    expect(await ask(operation, name)).toBe(200);
    const run = await runOf(name);
    expect(run?.usage).toMatchObject(booked);
    expect(run?.cost).toBeCloseTo(cost, 12);
    const lines = (await gateway.as('admin', 'GET', '/api/usage?by=model')).json.data as Record<string, unknown>[];
    const line = lines.find((each) => each['model'] === name);
    expect(line?.['cost']).toBeCloseTo(cost, 12);
    const { estimated: _estimated, ...units } = booked;
    const reported = Object.entries(units).filter(([unit]) => line?.[unit] !== undefined);
    expect(reported.map(([unit]) => [unit, line?.[unit]])).toEqual(reported);
  });
});

describe('a budget', () => {
  it.each([
    ['images', { input: '5', output: '40' }],
    ['transcriptions', { input: '5', output: '40' }],
    ['speech', { input: '5', output: '40' }],
    ['rerank', { output: '40' }],
    ['chat', { per_picture: '1' }],
  ])('refuses %s with a price for another unit', async (operation, price) => {
    const name = `wrong-${operation}`;
    const deployments = [{ provider: 'openai-compatible', model: 'up', price: { currency: 'USD', ...price } }];
    await made('/api/models', { name, spec: { deployments, operations: [operation] } });
    await made('/api/limits', {
      name,
      spec: { subject_type: 'tenant', capability: `model/${name}`, spend: { currency: 'USD', per_day: 0.005 } },
    });
    answerWith(operation, {});
    expect(await ask(operation, name)).toBe(403);
  });

  it('of 0.005 a day admits neither 60 images nor 60 transcriptions of an hour', async () => {
    const spec = { subject_type: 'tenant', spend: { currency: 'USD', per_day: 0.005 } };
    for (const [operation, price] of [
      ['images', { per_picture: '0.002' }],
      ['transcriptions', { per_second: '0.0001' }],
    ] as const) {
      const name = `sixty-${operation}`;
      const deployments = [{ provider: 'openai-compatible', model: 'up', price: { currency: 'USD', ...price } }];
      await made('/api/models', { name, spec: { deployments, operations: [operation] } });
      await made('/api/limits', { name, spec: { ...spec, capability: `model/${name}` } });
      answerWith(operation, operation === 'images' ? {} : { duration: 3_600 });
      const statuses: number[] = [];
      for (let call = 0; call < 10; call++) statuses.push(await ask(operation, name));
      expect(statuses.filter((status) => status === 200).length, operation).toBe(1);
      expect(new Set(statuses)).toEqual(new Set([200, 429]));
    }
  });
});

describe('an impossible count', () => {
  it.each([
    ['beyond what a double holds', '9007199254740993'],
    ['beyond any number', '1e300'],
    ['below zero', '-7'],
    ['a fraction', '1.5'],
    ['beyond any model', '100000000'],
  ])('%s is estimated and marked, whole and streamed, and every page is read', async (what, number) => {
    const name = `impossible-${what.replaceAll(' ', '-')}`;
    const price = { currency: 'USD', input: '1', output: '1' };
    await made('/api/models', { name, spec: { deployments: [{ provider: 'openai-compatible', model: 'up', price }] } });
    const usage = `"usage":{"prompt_tokens":5,"completion_tokens":${number},"total_tokens":5}`;
    vendor.behave((request, response) => {
      if (request.body.stream !== true) {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(`${JSON.stringify(answers['chat']).slice(0, -1)},${usage}}`);
        return;
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const chunk = (choices: object[], more = ''): string =>
        `data: {"id":"v","object":"chat.completion.chunk","created":1,"model":"up","choices":${JSON.stringify(choices)}${more}}\n\n`;
      response.write(chunk([{ index: 0, delta: { role: 'assistant', content: 'Two words' }, finish_reason: null }]));
      response.write(chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]));
      response.end(`${chunk([], `,${usage}`)}data: [DONE]\n\n`);
    });
    const whole = await gateway.as('developer', 'POST', '/v1/chat/completions', {
      model: name,
      messages: [{ role: 'user', content: 'Hi' }],
    });
    expect(whole.json.usage).toMatchObject({ estimated: true });
    expect(whole.headers.get('x-pailou-warnings')).toContain('usage estimated');
    const streamed = await gateway.as('developer', 'POST', '/v1/chat/completions', {
      model: name,
      messages: [{ role: 'user', content: 'Hi' }],
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(streamed.text).toContain('"estimated":true');
    expect(streamed.text).not.toContain(number);
    const run = await runOf(name);
    expect(run?.usage).toMatchObject({ estimated: true });
    const detail = await gateway.as('admin', 'GET', `/api/runs/${run?.id}`);
    expect(detail.json.attempts[0].detail).toContain('usage estimated');
    for (const page of ['/api/runs', '/api/usage?by=day,user,model', '/api/usage?format=csv', '/api/health', '/api/access/matrix'])
      expect((await gateway.as('admin', 'GET', page)).status, page).toBe(200);
  });
});

/** Vectors, ranks and choices that do not match the request are invalid: the next deployment is tried. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json as readJson } from 'node:stream/consumers';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from './gateway.ts';

let gateway: TestGateway;
let openai: OpenAI;
let vendor: Server;
/** The vendor's answer for the first model, as text or as a JSON value; the second one is always right. */
let wrong: unknown;
const asked: string[] = [];

const vector = (seed: number, size = 3): number[] => Array.from({ length: size }, () => seed);
const embedding = (index: number, size = 3): object => ({ object: 'embedding', index, embedding: vector(index, size) });
const choice = (index: number): object => ({ index, message: { role: 'assistant', content: `c${index}` }, finish_reason: 'stop' });

const right = {
  '/v1/embeddings': { data: [embedding(0), embedding(1)], usage: { prompt_tokens: 2, total_tokens: 2 } },
  '/v1/rerank': {
    results: [
      { index: 1, relevance_score: 0.9 },
      { index: 0, relevance_score: 0.1 },
    ],
  },
  '/v1/chat/completions': { choices: [choice(0), choice(1)], usage: { prompt_tokens: 2, completion_tokens: 2, total_tokens: 4 } },
} as Readonly<Record<string, object>>;

beforeAll(async () => {
  vendor = createServer((request, response) => {
    readJson(request).then(
      (body) => {
        const { model } = body as { model: string };
        asked.push(model);
        response.writeHead(200, { 'content-type': 'application/json' });
        const answer = model === 'wrong' ? wrong : right[request.url ?? ''];
        response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
      },
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve));
  gateway = await startGateway();
  const base_url = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}/v1`;
  await gateway.as('admin', 'POST', '/api/providers', { name: 'vendor', spec: { kind: 'openai-compatible', options: { base_url } } });
  const operations = ['chat', 'embeddings', 'rerank'];
  const circuit = { failures: 1_000, minimum: 100_000 };
  const first = { provider: 'vendor', model: 'wrong', tier: 0 };
  const models = { two: [first, { provider: 'vendor', model: 'right', tier: 1 }], alone: [first] };
  for (const [name, deployments] of Object.entries(models)) {
    const made = await gateway.as('admin', 'POST', '/api/models', {
      name: `positions/${name}`,
      spec: { operations, deployments, circuit },
    });
    expect(made.status, made.text).toBe(201);
  }
  openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: await gateway.token('developer'), maxRetries: 0 });
});
beforeEach(() => {
  asked.length = 0;
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  vendor.closeAllConnections();
  vendor.close();
});

const documents = ['a road', 'a gate'];
const rerank = (model: string, more: object = {}) =>
  gateway.as('developer', 'POST', '/v1/rerank', { model, query: 'gate', documents, ...more });
const embed = (model: string, more: object = {}) => gateway.as('developer', 'POST', '/v1/embeddings', { model, input: documents, ...more });
const chat = (model: string) =>
  gateway.as('developer', 'POST', '/v1/chat/completions', { model, n: 2, messages: [{ role: 'user', content: 'x' }] });

const cases: readonly [string, unknown, typeof embed][] = [
  ['one vector for two inputs', { data: [embedding(0)] }, embed],
  ['three vectors for two inputs', { data: [embedding(0), embedding(1), embedding(2)] }, embed],
  ['two vectors for one place', { data: [embedding(0), embedding(0)] }, embed],
  ['a place that was not asked for', { data: [embedding(0), embedding(5)] }, embed],
  ['vectors of two sizes', { data: [embedding(0), embedding(1, 2)] }, embed],
  ['vectors of another size than asked', { data: [embedding(0, 4), embedding(1, 4)] }, (model) => embed(model, { dimensions: 3 })],
  ['one rank for two documents', { results: [{ index: 0, relevance_score: 1 }] }, rerank],
  [
    'the same document twice',
    {
      results: [
        { index: 0, relevance_score: 1 },
        { index: 0, relevance_score: 0.5 },
      ],
    },
    rerank,
  ],
  [
    'a document that was not sent',
    {
      results: [
        { index: 0, relevance_score: 1 },
        { index: 2, relevance_score: 0.5 },
      ],
    },
    rerank,
  ],
  ['a number beyond all numbers in a vector', '{"data":[{"index":0,"embedding":[1e400]},{"index":1,"embedding":[1]}]}', embed],
  [
    'a vector in base64 that is cut',
    {
      data: [
        { ...embedding(0), embedding: 'AACA' },
        { ...embedding(1), embedding: 'AACA' },
      ],
    },
    embed,
  ],
  ['a score beyond all numbers', '{"results":[{"index":0,"relevance_score":1e400},{"index":1,"relevance_score":0}]}', rerank],
  ['one choice of two', { choices: [choice(0)] }, chat],
  ['two choices at one place', { choices: [choice(0), choice(0)] }, chat],
  ['three choices of two', { choices: [choice(0), choice(1), choice(2)] }, chat],
];

describe.each(cases)('%s', (_name, answer, ask) => {
  it('is refused, and the next deployment answers', async () => {
    wrong = answer;
    const alone = await ask('positions/alone');
    expect(alone.status, alone.text).toBe(502);
    expect(alone.json.error.code).toBe('upstream_invalid_response');
    asked.length = 0;
    const second = await ask('positions/two');
    expect(second.status, second.text).toBe(200);
    expect(asked).toEqual(['wrong', 'right']);
  });
});

describe('a ranking', () => {
  const ranked = [
    { index: 1, score: 0.9 },
    { index: 0, score: 0.1 },
  ];
  it.each([
    ['Text Embeddings Inference', ranked],
    [
      'Cohere',
      {
        id: 'r',
        results: ranked.map(({ index, score }) => ({ index, relevance_score: score })),
        meta: { billed_units: { search_units: 1 } },
      },
    ],
    [
      'Jina',
      {
        model: 'm',
        usage: { total_tokens: 9 },
        results: ranked.map(({ index, score }) => ({ index, relevance_score: score, document: { text: documents[index] } })),
      },
    ],
    ['Voyage', { object: 'list', data: ranked.map(({ index, score }) => ({ index, relevance_score: score })), usage: { total_tokens: 9 } }],
    ['NVIDIA', { rankings: ranked.map(({ index, score }) => ({ index, logit: score })) }],
  ])("in %s's shape is read", async (_vendor, answer) => {
    wrong = answer;
    const { status, json, text } = await rerank('positions/alone');
    expect(status, text).toBe(200);
    expect(json.results).toEqual([
      { index: 1, relevance_score: 0.9 },
      { index: 0, relevance_score: 0.1 },
    ]);
  });

  it('with top_n results is complete, and a longer one is cut', async () => {
    wrong = ranked.slice(0, 1);
    expect((await rerank('positions/alone', { top_n: 1 })).json.results).toHaveLength(1);
    expect((await rerank('positions/alone', { top_k: 1 })).json.results).toHaveLength(1);
    wrong = ranked;
    expect((await rerank('positions/alone', { top_n: 1 })).json.results).toHaveLength(1);
  });
});

it('choices without an index pass through unchanged', async () => {
  wrong = right['/v1/chat/completions'];
  const answer = await openai.chat.completions.create({ model: 'positions/alone', messages: [{ role: 'user', content: 'x' }] });
  expect(answer.choices).toHaveLength(2);
});

it('an embeddings answer has an id, which strict clients require', async () => {
  const { json } = await embed('positions/two');
  expect(json.id).toMatch(/^embd-[0-9a-f]{32}$/);
});

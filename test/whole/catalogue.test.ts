/** The catalogue over HTTP: prices for rows without one, facts on /v1/models, a list with filters, an operator's own file. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from './gateway.ts';
import { startVendor, type Vendor } from './vendor.ts';

let gateway: TestGateway;
let vendor: Vendor;
let folder: string;

const ownFile = `
models:
  - kind: mistral
    model: mistral-large-latest
    price: { currency: EUR, input: "2", output: 6 }
    source: Contract 17
    date: 2026-11-01
  - kind: vllm
    model: qwen3-8b
    context_window: 32768
    tools: true
`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pailou-catalogue-'));
  await writeFile(join(folder, 'own.yaml'), ownFile);
  gateway = await startGateway({ PAILOU_CATALOGUE: join(folder, 'own.yaml') });
  vendor = await startVendor();
  const providers: Record<string, object> = {
    openai: { kind: 'openai' },
    deep: { kind: 'deepseek' },
    dollars: { kind: 'deepseek', currency: 'USD' },
    mistral: { kind: 'mistral' },
    vllm: { kind: 'vllm' },
    own: { kind: 'openai-compatible' },
  };
  for (const [name, spec] of Object.entries(providers)) {
    const options = { base_url: vendor.url, api_key: 'k' };
    const made = await gateway.as('admin', 'POST', '/api/providers', { name, spec: { ...spec, options } });
    expect(made.status, made.text).toBe(201);
  }
  const models: Record<string, object[]> = {
    'gpt-4o': [{ provider: 'openai', model: 'gpt-4o' }],
    contract: [{ provider: 'openai', model: 'gpt-4o', price: { currency: 'CNY', input: '1', output: '2' } }],
    yuan: [{ provider: 'deep', model: 'deepseek-v4-pro' }],
    dollars: [{ provider: 'dollars', model: 'deepseek-v4-pro' }],
    ours: [{ provider: 'mistral', model: 'mistral-large-latest' }],
    local: [{ provider: 'vllm', model: 'qwen3-8b' }],
    unknown: [{ provider: 'own', model: 'whatever' }],
    both: [
      { provider: 'openai', model: 'gpt-4o' },
      { provider: 'openai', model: 'gpt-5.5', tier: 1 },
    ],
    mixed: [
      { provider: 'openai', model: 'gpt-4o' },
      { provider: 'own', model: 'whatever', tier: 1 },
    ],
  };
  for (const [name, deployments] of Object.entries(models)) {
    const made = await gateway.as('admin', 'POST', '/api/models', { name, spec: { deployments } });
    expect(made.status, made.text).toBe(201);
  }
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const listed = async (name: string) => (await gateway.as('developer', 'GET', `/v1/models/${name}`)).json;

/** The recorded cost of a call with five input and two output tokens. */
async function recordedCost(model: string): Promise<{ readonly cost: unknown; readonly currency: string | null }> {
  const answer = await gateway.as('developer', 'POST', '/v1/chat/completions', { model, messages: [{ role: 'user', content: 'Hi' }] });
  expect(answer.status, answer.text).toBe(200);
  const id = answer.headers.get('x-pailou-trace-id');
  const run = await eventually(
    async () => (await gateway.as('admin', 'GET', `/api/runs/${id}`)).json,
    (known) => known?.usage !== undefined && known.usage !== null,
  );
  return { cost: run.cost, currency: run.currency };
}

describe('a deployment without a price', () => {
  it('costs the price of the catalogue, in the currency of the vendor or of the provider’s row', async () => {
    expect((await recordedCost('gpt-4o')).currency).toBe('USD');
    expect((await recordedCost('yuan')).currency).toBe('CNY');
    expect((await recordedCost('dollars')).currency).toBe('USD');
  });

  it('costs the price of its own row, otherwise the operator’s, before the public one', async () => {
    expect((await recordedCost('contract')).currency).toBe('CNY');
    expect((await recordedCost('ours')).currency).toBe('EUR');
  });

  it('stays without a price where none is known', async () => {
    expect(await recordedCost('unknown')).toEqual({ cost: null, currency: null });
    expect(await recordedCost('local')).toEqual({ cost: null, currency: null });
  });

  it('refuses an unknown currency, and names the field', async () => {
    const refused = await gateway.as('admin', 'POST', '/api/providers', {
      name: 'rmb',
      spec: { kind: 'deepseek', currency: 'RMB', options: { base_url: vendor.url, api_key: 'k' } },
    });
    expect(refused.status).toBe(400);
    expect(refused.json.error).toMatchObject({ param: 'spec.currency', message: expect.stringContaining('CNY') });
  });
});

describe('GET /v1/models', () => {
  it('lists known facts, and omits unknown ones', async () => {
    expect(await listed('gpt-4o')).toMatchObject({
      id: 'gpt-4o',
      context_window: 128_000,
      max_output_tokens: 16_384,
      input_modalities: expect.arrayContaining(['text', 'image']),
      output_modalities: ['text'],
      tools: true,
      prices: [{ currency: 'USD', input: '2.5', output: '10' }],
    });
    expect(Object.keys(await listed('unknown')).toSorted()).toEqual(['created', 'id', 'object', 'owned_by']);
    expect(await listed('local')).toMatchObject({ context_window: 32_768, tools: true });
    expect(await listed('local')).not.toHaveProperty('prices');
  });

  it('lists only facts that hold at every deployment', async () => {
    const both = await listed('both');
    expect(both.context_window).toBe(128_000);
    expect(both.prices).toHaveLength(2);
    expect(both.thinking ?? false).toBe(false);
    expect(await listed('mixed')).not.toHaveProperty('context_window');
  });

  it('lists them in the list too, and in Anthropic’s format for its clients', async () => {
    const { data } = (await gateway.as('developer', 'GET', '/v1/models')).json;
    expect(data.find((model: { id: string }) => model.id === 'gpt-4o').context_window).toBe(128_000);
    const message = await gateway.as('developer', 'GET', '/v1/models/gpt-4o', undefined, { 'anthropic-version': '2023-06-01' });
    expect(message.json).toMatchObject({ type: 'model', max_input_tokens: 128_000, max_tokens: 16_384 });
  });
});

describe('GET /api/catalogue', () => {
  const list = (query: string, role: 'developer' | 'viewer' | null = 'developer') => gateway.as(role, 'GET', `/api/catalogue?${query}`);

  it('lists models with page and day, by vendor, kind, name, operation and currency', async () => {
    const { data } = (await list('kind=deepseek')).json;
    expect(data.map(({ id }: { id: string }) => id)).toEqual(['deepseek/deepseek-flash', 'deepseek/deepseek-v4-pro']);
    expect(data[0].sources[0]).toMatchObject({ url: expect.stringMatching(/^https:/), date: expect.stringMatching(/^20\d\d-\d\d-\d\d$/) });
    for (const [query, check] of [
      ['vendor=cohere&operation=rerank', (model: { operations: string[] }) => model.operations.includes('rerank')],
      ['currency=CNY&limit=500', (model: { prices: { currency: string }[] }) => model.prices.some(({ currency }) => currency === 'CNY')],
      [
        'model=claude&input=image',
        (model: { id: string; input: string[] }) => model.id.includes('claude') && model.input.includes('image'),
      ],
      ['thinking=false', (model: { thinking?: boolean }) => model.thinking === false],
    ] as const) {
      const found = (await list(query)).json.data;
      expect(found.length, query).toBeGreaterThan(0);
      expect(found.every(check), query).toBe(true);
    }
  });

  it('is read page by page, each model once', async () => {
    const ids: string[] = [];
    for (let after = ''; ;) {
      const page = (await list(`limit=500${after}`)).json;
      ids.push(...page.data.map(({ id }: { id: string }) => id));
      if (page.next === null) break;
      after = `&after=${encodeURIComponent(page.next)}`;
    }
    expect(ids.length).toBeGreaterThan(300);
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(ids.map((id) => id.split('/')[0])).size).toBeGreaterThan(20);
  });

  it('shows the entry that a deployment gets, with the entries of the operator', async () => {
    expect((await list('kind=openai&upstream=openai/gpt-4o-2031-01-01')).json.data).toMatchObject([{ id: 'openai/gpt-4o' }]);
    expect((await list('kind=mistral&upstream=mistral-large-latest')).json.data).toMatchObject([
      { prices: [{ currency: 'EUR', input: '2', output: 6 }], sources: [{}, { title: 'Contract 17' }] },
    ]);
    expect((await list('kind=vllm')).json.data).toMatchObject([{ id: 'vllm/qwen3-8b' }]);
    expect((await list('kind=openai&upstream=nothing')).json.data).toEqual([]);
  });

  it('is for callers who may view models, and refuses unknown parameters', async () => {
    expect((await list('', null)).status).toBe(401);
    expect((await list('', 'viewer')).status).toBe(200);
    expect((await list('operation=dance')).status).toBe(400);
  });
});

describe("an operator's invalid file", () => {
  it.each([
    ['not YAML', 'models: [', 'line 1'],
    [
      'an unknown column',
      'models:\n  - kind: openai\n    model: x\n    contxt_window: 5\n',
      'line 2: models[0].contxt_window is not a field here',
    ],
    ['no currency', 'models:\n  - kind: openai\n    model: x\n    price:\n      input: 1\n', 'line 5: models[0].price'],
    ['RMB', 'models:\n  - kind: openai\n    model: x\n    price: { currency: RMB, input: 1, output: 2 }\n', 'line 4: models[0].price'],
    [
      'a number that is none',
      'models:\n  - { kind: openai, model: x }\n  - kind: openai\n    model: y\n    max_output: many\n',
      'line 5: models[1].max_output',
    ],
  ])('%s: the start fails and names the line and the field', async (_what, text, words) => {
    const path = join(folder, 'wrong.yaml');
    await writeFile(path, text);
    await expect(startGateway({ PAILOU_CATALOGUE: path })).rejects.toThrow(`PAILOU_CATALOGUE: ${path}, ${words}`);
  });

  it('that does not exist stops it too', async () => {
    await expect(startGateway({ PAILOU_CATALOGUE: join(folder, 'none.yaml') })).rejects.toThrow('cannot be read');
  });
});

/** The catalogue finds a model under its many spellings, and invents none. */
import { describe, expect, it } from 'vitest';
import { createModelCatalogue } from '../../../src/models/catalogue/catalogue.ts';
import { undated, unprefixed } from '../../../src/models/catalogue/names.ts';
import type { OperatorModel } from '../../../src/types/known-model.ts';

const catalogue = createModelCatalogue();
const find = (kind: string, model: string, host: string | null = null) => catalogue.find({ kind, host }, model);

describe('the names of models', () => {
  it.each([
    ['gpt-4o-2024-08-06', 'gpt-4o'],
    ['claude-sonnet-4-5-20250929', 'claude-sonnet-4-5'],
    ['claude-sonnet-4-5@20250929', 'claude-sonnet-4-5'],
    ['anthropic.claude-sonnet-4-5-20250929-v1:0', 'anthropic.claude-sonnet-4-5'],
    ['doubao-seed-1-6-251015', 'doubao-seed-1-6'],
    ['gpt-4-0613', 'gpt-4'],
    ['gemini-2.5-pro', 'gemini-2.5-pro'],
    ['glm-4.7', 'glm-4.7'],
    ['step-1-256k', 'step-1-256k'],
    ['qwen-max-latest', 'qwen-max'],
    ['deepseek-r1', 'deepseek-r1'],
  ])('%s is a snapshot of %s', (name, family) => {
    expect(undated(name)).toBe(family);
  });

  it('are matched without prefixes of gateways, regions and resources', () => {
    expect(unprefixed('openai/gpt-4o')).toContain('gpt-4o');
    expect(unprefixed('models/gemini-2.5-pro')).toContain('gemini-2.5-pro');
    expect(unprefixed('arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-x')).toContain('anthropic.claude-x');
    expect(unprefixed('gpt-4o')).toEqual(['gpt-4o']);
  });
});

describe('the catalogue', () => {
  it('finds a model by kind and name, with its source and date', () => {
    const known = find('openai', 'gpt-4o');
    expect(known).toMatchObject({ vendor: 'openai', model: 'gpt-4o', context_window: 128_000, max_output: 16_384, tools: true });
    expect(known?.prices).toEqual([expect.objectContaining({ currency: 'USD', input: '2.5', cached_input: '1.25', output: '10' })]);
    expect(known?.sources[0]).toMatchObject({ url: expect.stringContaining('https://'), date: expect.stringMatching(/^\d{4}-/) });
  });

  it('finds it by a prefix, in any letter case, by a date, and by a family without a date', () => {
    const model = find('openai', 'gpt-4o')?.model;
    expect(find('openai', 'openai/gpt-4o')?.model).toBe(model);
    expect(find('openai', 'GPT-4O')?.model).toBe(model);
    expect(find('openai', 'gpt-4o-2031-01-01')?.model).toBe(model);
    expect(find('doubao', 'doubao-seed-1-6')?.model).toBe('doubao-seed-1-6-251015');
  });

  it('takes the price of a region at Bedrock where it has its own', () => {
    const id = 'anthropic.claude-sonnet-4-5-20250929-v1:0';
    expect(find('bedrock', id)?.prices[0]?.input).toBe('3');
    expect(find('bedrock', `us.${id}`)?.prices[0]?.input).toBe('3.3');
    expect(find('bedrock', `arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.${id}`)?.prices[0]?.input).toBe('3.3');
  });

  it('distinguishes two addresses of one vendor, and knows a vendor by its host alone', () => {
    expect(find('zhipu', 'glm-5.3', 'open.bigmodel.cn')?.prices[0]).toMatchObject({ currency: 'CNY', input: '8', output: '28' });
    expect(find('zhipu', 'glm-5.3', 'api.z.ai')?.prices[0]).toMatchObject({ currency: 'USD', input: '1.4', output: '4.4' });
    expect(find('openai-compatible', 'deepseek-v4-pro', 'api.deepseek.com')?.vendor).toBe('deepseek');
    expect(find('openai-compatible', 'deepseek-v4-pro', 'models.example.com')).toBeUndefined();
  });

  it('has each currency in which a vendor bills, and its hours', () => {
    const known = find('deepseek', 'deepseek-v4-flash');
    expect(known?.model).toBe('deepseek-flash');
    expect(known?.prices.map(({ currency, input }) => [currency, input])).toEqual([
      ['CNY', '1'],
      ['USD', '0.15'],
    ]);
    expect(known?.prices[0]?.periods?.[0]).toMatchObject({ from: '09:00', time_zone: 'Asia/Shanghai', input: '2' });
  });

  it('invents nothing: another model, a tuned one, a smaller one of the same beginning', () => {
    for (const model of ['gpt-4o-mini-extra', 'gpt', 'ft:gpt-4o:company::id', 'gpt-40', ''])
      expect(find('openai', model), model).toBeUndefined();
    expect(find('vllm', 'Qwen/Qwen3-8B')).toBeUndefined();
    expect(find('openai', 'gpt-4o-mini')?.prices[0]?.input).not.toBe(find('openai', 'gpt-4o')?.prices[0]?.input);
  });
});

describe("an operator's entries", () => {
  const own: readonly OperatorModel[] = [
    { kind: 'openai', model: 'gpt-4o', price: { currency: 'EUR', input: '2', output: '8' }, source: 'Contract 17', date: '2026-11-01' },
    { kind: 'vllm', model: 'qwen3-8b', context_window: 32_768 },
  ];
  const overridden = createModelCatalogue(own);

  it('replace the fields that they name, and no other', () => {
    const known = overridden.find({ kind: 'openai', host: null }, 'openai/gpt-4o');
    expect(known?.prices).toEqual([{ currency: 'EUR', input: '2', output: '8' }]);
    expect(known?.context_window).toBe(128_000);
    expect(known?.sources.at(-1)).toEqual({ title: 'Contract 17', date: '2026-11-01' });
    expect(overridden.find({ kind: 'azure', host: null }, 'gpt-4o')?.prices[0]?.currency).toBe('USD');
  });

  it('adds models that no other entry has', () => {
    expect(overridden.find({ kind: 'vllm', host: '10.0.0.1' }, 'Qwen3-8B')).toMatchObject({
      vendor: 'vllm',
      context_window: 32_768,
      prices: [],
    });
    const all = overridden.all();
    expect(all.filter(({ vendor, model }) => vendor === 'openai' && model === 'gpt-4o').map(({ prices }) => prices[0]?.currency)).toEqual([
      'EUR',
    ]);
    expect(all.some(({ vendor }) => vendor === 'vllm')).toBe(true);
    expect(all.length).toBe(catalogue.all().length + 1);
  });
});

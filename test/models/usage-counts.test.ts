/** Token counts of every vendor format, as a table; and the steps to support a new field. */
import { describe, expect, it } from 'vitest';
import { plausible } from '../../src/dispatch/plausible-usage.ts';
import { renderUsage } from '../../src/models/client-formats/chat-completions/usage.ts';
import { renderMessagesUsage } from '../../src/models/client-formats/messages/usage.ts';
import { renderResponseUsage } from '../../src/models/client-formats/responses/usage.ts';
import { readUsage as anthropic } from '../../src/models/vendor-formats/anthropic/usage.ts';
import { readUsage as bedrock } from '../../src/models/vendor-formats/bedrock/usage.ts';
import { readUsage as dashscope } from '../../src/models/vendor-formats/dashscope/usage.ts';
import { readUsage as gemini } from '../../src/models/vendor-formats/gemini/usage.ts';
import { readUsage as openai } from '../../src/models/vendor-formats/openai/usage.ts';
import { amountText } from '../../src/types/money.ts';
import { compilePrice, costOf } from '../../src/types/price.ts';
import { openaiVendor } from '../../src/providers/compatible/vendor.ts';

describe('a new field of a vendor', () => {
  it('is one line of data in the dialect of its kind, and is recorded', () => {
    const plugin = openaiVendor({
      kind: 'invented',
      title: 'Invented',
      baseUrl: 'https://invented.example/v1',
      source: 'https://invented.example/docs',
      operations: ['chat'],
      usage: { searches: ['extra.lookups'], inputTokens: ['extra.read'] },
    });
    const provider = plugin.create(plugin.options.parse({ api_key: 'k' }), { checkUrl: (url: string) => new URL(url) } as never) as {
      reading?: never;
    };
    const answer = { choices: [], usage: { prompt_tokens: 5, completion_tokens: 1 }, extra: { lookups: 3, read: 7 } };
    expect(openai(answer, { reading: provider.reading })).toMatchObject({ inputTokens: 7, outputTokens: 1, searches: 3 });
    expect(openai(answer)).not.toHaveProperty('searches');
  });
});

describe('cache writes', () => {
  const claude = {
    input_tokens: 10,
    cache_creation_input_tokens: 1_000_000,
    cache_creation: { ephemeral_5m_input_tokens: 400_000, ephemeral_1h_input_tokens: 600_000 },
    cache_read_input_tokens: 1_000_000,
    output_tokens: 1_000,
  };

  it('of Anthropic cost 5.41503 at 3, 0.3 and 15 USD per million, and are in every client format', () => {
    const usage = anthropic(claude);
    expect(usage).toMatchObject({
      inputTokens: 2_000_010,
      cacheWriteTokens: 1_000_000,
      cacheWrite1hTokens: 600_000,
      cachedInputTokens: 1_000_000,
    });
    const price = compilePrice({ currency: 'USD', input: '3', cached_input: '0.3', output: '15' });
    expect(amountText(costOf(price, 'chat', usage ?? { inputTokens: 0, outputTokens: 0 }, 0) ?? 0n)).toBe('5.41503');
    expect(JSON.parse(renderUsage(usage, false)).prompt_tokens_details).toEqual({
      cached_tokens: 1_000_000,
      cache_write_tokens: 1_000_000,
    });
    expect(JSON.parse(renderUsage(usage, true)).prompt_tokens_details).toEqual({ cached_tokens: 1_000_000 });
    expect(renderResponseUsage(usage)['input_tokens_details']).toEqual({ cached_tokens: 1_000_000, cache_write_tokens: 1_000_000 });
    expect(renderMessagesUsage({ ...usage, vendor: undefined } as never)).toMatchObject(claude);
  });

  it('of Bedrock are read with their lifetimes', () => {
    const usage = {
      inputTokens: 10,
      outputTokens: 5,
      cacheReadInputTokens: 3,
      cacheWriteInputTokens: 100,
      cacheDetails: [{ ttl: '1h', inputTokens: 60 }],
    };
    expect(bedrock(usage)).toMatchObject({ inputTokens: 113, cachedInputTokens: 3, cacheWriteTokens: 100, cacheWrite1hTokens: 60 });
  });
});

it('Gemini and DashScope report audio and image tokens separately', () => {
  const usageMetadata = {
    promptTokenCount: 100,
    candidatesTokenCount: 20,
    thoughtsTokenCount: 5,
    promptTokensDetails: [
      { modality: 'TEXT', tokenCount: 60 },
      { modality: 'AUDIO', tokenCount: 40 },
    ],
    candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 20 }],
  };
  expect(gemini({ usageMetadata })).toMatchObject({ inputTokens: 100, outputTokens: 25, audioInputTokens: 40, imageOutputTokens: 20 });
  const usage = { input_tokens: 100, output_tokens: 20, input_tokens_details: { image_tokens: 70 }, plugins: { search: { count: 2 } } };
  expect(dashscope({ usage })).toMatchObject({ inputTokens: 100, imageInputTokens: 70, searches: 2 });
});

describe('an implausible count', () => {
  const usage = { inputTokens: 5, outputTokens: 5 };
  const warnings: string[] = [];
  const note = (text: string): void => void warnings.push(text);

  it.each([9_007_199_254_740_992, 1e300, -1, 0.5, Number.NaN, 50_000_001])(
    'makes the whole an estimate where it is %s of input or output',
    (number) => {
      expect(plausible({ ...usage, outputTokens: number }, null, note)).toBeNull();
      expect(warnings.at(-1)).toContain(`${number} tokens of output`);
    },
  );

  it('above the context of the model is dropped, and an invalid detail is dropped alone', () => {
    expect(plausible({ ...usage, inputTokens: 128_001 }, { contextTokens: 128_000, answers: 1 }, note)).toBeNull();
    expect(plausible({ ...usage, cachedInputTokens: -3, searches: 1 }, null, note)).toEqual({ ...usage, searches: 1 });
    expect(plausible({ ...usage, reportedCost: { amount: 1e300, currency: 'USD' } }, null, note)).toEqual(usage);
    expect(plausible(usage, null, note)).toBe(usage);
  });

  it('includes a part of the input that is larger than the input', () => {
    expect(plausible({ ...usage, cachedInputTokens: 500 }, null, note)).toEqual(usage);
    expect(warnings.at(-1)).toBe('usage: the vendor counts 500 cachedInputTokens of 5 tokens of input');
    expect(plausible({ ...usage, cachedInputTokens: 5 }, null, note)).toEqual({ ...usage, cachedInputTokens: 5 });
  });
});

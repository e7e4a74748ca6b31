import { expect, test } from 'vitest';
import type * as estimates from '../../src/models/estimate-usage.ts';
import { estimateSize, estimateTokens, estimateUsage, loadTokenizer } from '../../src/models/estimate-usage.ts';
import { cpuMilliseconds } from '../cpu-time.ts';

const body = {
  model: 'm',
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'How are you today?' },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(100_000)}` } },
      ],
    },
  ],
};

test('estimates without waiting for the tokenizer, and marks a rough estimate', async () => {
  // An own copy of the module, in which no other test has loaded the tokenizer.
  const copy = '../../src/models/estimate-usage.ts?without-tokenizer';
  const fresh = (await import(copy)) as typeof estimates;
  expect(fresh.estimateTokens('x'.repeat(400))).toBe(100);
  expect(fresh.estimateUsage(body, 'Fine.')).toMatchObject({ estimated: true });
});

test('counts with the tokenizer once it is loaded; images count nothing', async () => {
  await loadTokenizer();
  expect(estimateTokens('How are you today?')).toBe(5);
  expect(estimateTokens('')).toBe(0);
  const usage = estimateUsage(body, 'Fine.');
  expect(usage.inputTokens).toBeLessThan(30);
  expect(usage.outputTokens).toBe(2);
});

test('accepts text that looks like control tokens, and long texts in bounded time', async () => {
  await loadTokenizer();
  expect(estimateTokens('<|endoftext|>')).toBeGreaterThan(0);
  const sentence = 'The quick brown fox jumps over the lazy dog. ';
  const started = cpuMilliseconds();
  const count = estimateTokens(sentence.repeat(20_000));
  expect(cpuMilliseconds() - started).toBeLessThan(600);
  expect(count / 20_000).toBeGreaterThan(9);
  expect(count / 20_000).toBeLessThan(11);
});

test('the larger of two limits of the answer counts, because the vendor may use either', () => {
  const messages = [{ role: 'user', content: 'Hi' }];
  expect(estimateSize({ model: 'm', messages, max_tokens: 50_000, max_completion_tokens: 1 }).outputTokens).toBe(50_000);
  expect(estimateSize({ model: 'm', messages, max_completion_tokens: 7 }).outputTokens).toBe(7);
  expect(estimateSize({ model: 'm', messages }).outputTokens).toBeNull();
});

/** The token counter against the tokenizer whose ranks it reads, and the size of its slices. */
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { beforeAll, describe, expect, it } from 'vitest';
import { TokenCounter } from '../../src/models/token-counter.ts';

const texts = [
  'How are you today?',
  'The quick brown fox jumps over the lazy dog; "quoted", and a line\nbreak.\n\n\tTabs   and   spaces  ',
  '敏捷的棕色狐狸跳过了懒狗，然后在牌楼下面休息了一会儿。',
  'Straße, naïve, Ελληνικά, русский язык, العربية, हिन्दी, 日本語テキスト, 한국어',
  'const sum = (a, b) => a + b; // 1234567890 0x1F\nfor (let i = 0; i < 10; i++) { total += i; }',
  "It's we'll they'd I'VE don't — “quotes” … ½ № ©",
  '👩‍👩‍👧‍👦 🏳️‍🌈 emoji and flags 🇨🇳',
  '{"name":"get_weather","arguments":{"city":"Köln","unit":"°C"}}',
  'x'.repeat(200),
  '=-=-=-=-=-=-=-=-=-=-=-=-=-=-=-=-=-=-',
  'a half pair \ud83d alone',
  ' ',
  '',
];

let counter: TokenCounter;
const turns: number[] = [];

beforeAll(async () => {
  counter = await TokenCounter.load((tokens) => turns.push(tokens));
});

describe('the token counter', () => {
  it.each(texts.map((text) => [text.slice(0, 30), text]))('counts as the tokenizer does: %j', (_start, text) => {
    expect(counter.count(text)).toBe(countTokens(text.toWellFormed()));
  });

  it('counts a long word in parts, nearly as the tokenizer does', () => {
    const word = '牌楼下面休息了一会儿敏捷的棕色狐狸'.repeat(200);
    const exact = countTokens(word);
    expect(Math.abs(counter.count(word) - exact) / exact).toBeLessThan(0.02);
  });

  it('is loaded in slices, so that the event loop is not held', () => {
    expect(turns.reduce((sum, tokens) => sum + tokens, 0)).toBe(199_998);
    expect(Math.max(...turns)).toBe(2_000);
  });
});

/** The cost of a call: by tokens of each kind, by other units, by input tier, time of day and service tier. */
import { describe, expect, it } from 'vitest';
import type { Usage } from '../../src/types/chat.ts';
import { amountText } from '../../src/types/money.ts';
import { priceSpec } from '../../src/types/price-spec.ts';
import { compilePrice, costOf } from '../../src/types/price.ts';
import type { Operation } from '../../src/types/wire-format.ts';

const noon = Date.UTC(2026, 10, 30, 12);

function cost(spec: object, usage: Partial<Usage>, operation: Operation = 'chat', at = noon): string | null {
  const price = compilePrice(priceSpec.parse({ currency: 'USD', ...spec }));
  const amount = costOf(price, operation, { inputTokens: 0, outputTokens: 0, ...usage }, at);
  return amount === null ? null : amountText(amount);
}

const faults = (spec: object): string[] =>
  (priceSpec.safeParse({ currency: 'USD', ...spec }).error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);

describe('the tokens of a call', () => {
  const claude = { input: '3', output: '15', cached_input: '0.3' };

  it('cost the same in a million calls of one token as in one call of a million', () => {
    const price = compilePrice(priceSpec.parse({ currency: 'USD', input: '0.05', output: '0.07' }));
    const one = costOf(price, 'chat', { inputTokens: 1, outputTokens: 1 }, noon) ?? 0n;
    expect(one * 1_000_000n).toBe(costOf(price, 'chat', { inputTokens: 1_000_000, outputTokens: 1_000_000 }, noon));
    expect(amountText(one * 1_000_000n)).toBe('0.12');
  });

  it('written to a cache cost a quarter more for minutes and twice as much for an hour, unless the row says otherwise', () => {
    const usage = {
      inputTokens: 2_000_010,
      outputTokens: 1_000,
      cachedInputTokens: 1_000_000,
      cacheWriteTokens: 1_000_000,
      cacheWrite1hTokens: 600_000,
    };
    // 10 at 3, 400,000 at 3.75, 600,000 at 6, 1,000,000 at 0.3, 1,000 at 15.
    expect(cost(claude, usage)).toBe('5.41503');
    expect(cost({ ...claude, cache_write: '1', cache_write_1h: '2' }, usage)).toBe('1.91503');
    expect(cost({ input: '3', output: '15' }, { inputTokens: 1_000_000, cacheWriteTokens: 1_000_000 })).toBe('3.75');
  });

  it('of audio and images have their own prices, otherwise that of text', () => {
    const usage = {
      inputTokens: 1_000_000,
      outputTokens: 1_000_000,
      audioInputTokens: 400_000,
      audioOutputTokens: 100_000,
      imageInputTokens: 100_000,
    };
    expect(cost({ input: '1', output: '2' }, usage)).toBe('3');
    expect(cost({ input: '1', output: '2', audio_input: '10', audio_output: '20', image_input: '5' }, usage)).toBe('8.8');
  });

  it('are never counted twice, whatever kinds a vendor reports', () => {
    expect(cost({ input: '1', output: '1', cached_input: '0' }, { inputTokens: 10, cachedInputTokens: 100, cacheWriteTokens: 100 })).toBe(
      '0',
    );
  });

  it('have no cost when input or output has no price', () => {
    expect(cost({ input: '1' }, { inputTokens: 5 })).toBeNull();
    expect(cost({ input: '1' }, { inputTokens: 1_000_000 }, 'embeddings')).toBe('1');
    expect(cost({ per_request: '0.01' }, { inputTokens: 5, outputTokens: 5 })).toBe('0.01');
  });
});

describe('other units', () => {
  it.each<[string, object, Operation, Partial<Usage>, string | null]>([
    ['a picture', { per_picture: '0.04' }, 'images', { pictures: 3 }, '0.12'],
    ['a picture by tokens', { image_output: '40', input: '5' }, 'images', { inputTokens: 100, outputTokens: 1_000 }, '0.0405'],
    ['a picture without its own price', { input: '5', output: '40' }, 'images', { pictures: 1 }, null],
    ['an hour of sound by the second', { per_second: '0.0001' }, 'transcriptions', { milliseconds: 3_600_000 }, '0.36'],
    ['an hour of sound by the minute', { per_minute: '0.006' }, 'transcriptions', { milliseconds: 3_600_000 }, '0.36'],
    ['a part of a second', { per_second: '0.0001' }, 'transcriptions', { milliseconds: 500 }, '0.00005'],
    ['sound without its own price', { input: '5', output: '40' }, 'transcriptions', { milliseconds: 1 }, null],
    ['characters', { per_character: '0.000015' }, 'speech', { characters: 1_000 }, '0.015'],
    ['a search', { per_search: '0.002' }, 'rerank', { searches: 2 }, '0.004'],
    ['searches of a chat', { input: '1', output: '1', per_search: '0.01' }, 'chat', { inputTokens: 1_000_000, searches: 2 }, '1.02'],
    ['pages', { input: '1', output: '1', per_page: '0.001' }, 'chat', { pages: 7 }, '0.007'],
  ])('are priced for %s', (_what, spec, operation, usage, expected) => {
    expect(cost(spec, usage, operation)).toBe(expected);
  });

  it('cost by size and quality: the first entry that fits, and unknown where none does', () => {
    const list = [
      { size: '1024x1024', quality: 'high', price: '0.17' },
      { size: '1024x1024', price: '0.04' },
    ];
    const of = (kind: Partial<Usage>): string | null => cost({ per_picture: list }, { pictures: 2, ...kind }, 'images');
    expect(of({ pictureSize: '1024x1024', pictureQuality: 'high' })).toBe('0.34');
    expect(of({ pictureSize: '1024x1024', pictureQuality: 'low' })).toBe('0.08');
    expect([of({ pictureSize: '512x512' }), of({})]).toEqual([null, null]);
  });
});

describe('other amounts', () => {
  it('apply to a larger input: the highest tier that fits, for the whole call', () => {
    const spec = {
      input: '1',
      output: '10',
      tiers: [
        { above_input_tokens: 128_000, input: '2' },
        { above_input_tokens: 1_000_000, input: '4', output: '20' },
      ],
    };
    expect(cost(spec, { inputTokens: 128_000 })).toBe('0.128');
    expect(cost(spec, { inputTokens: 200_000, outputTokens: 1_000_000 })).toBe('10.4');
    expect(cost(spec, { inputTokens: 2_000_000, outputTokens: 1_000_000 })).toBe('28');
  });

  it('apply at some hours, in the vendor’s time zone, across midnight and by the day on which they begin', () => {
    const spec = { input: '1', output: '1', periods: [{ from: '00:30', to: '08:30', time_zone: 'Asia/Shanghai', factor: '0.5' }] };
    const at = (hour: number, minute: number) => cost(spec, { inputTokens: 1_000_000 }, 'chat', Date.UTC(2026, 10, 30, hour, minute));
    expect([at(16, 29), at(16, 30), at(23, 59), at(0, 29), at(0, 30)]).toEqual(['1', '0.5', '0.5', '0.5', '1']);
    const night = { input: '1', output: '1', periods: [{ from: '22:00', to: '06:00', days: [5], input: '0.25' }] };
    const on = (day: number, hour: number) => cost(night, { inputTokens: 1_000_000 }, 'chat', Date.UTC(2026, 10, day, hour));
    // The 27th of November 2026 is a Friday.
    expect([on(27, 23), on(28, 5), on(28, 23), on(27, 5)]).toEqual(['0.25', '0.25', '1', '1']);
  });

  it('begin and end to the millisecond for one price that many calls use', () => {
    const price = compilePrice(
      priceSpec.parse({ currency: 'USD', input: '1', output: '1', periods: [{ from: '16:30', to: '16:31', factor: '0.5' }] }),
    );
    const times = [
      [16, 29, 59, 999],
      [16, 30, 0, 0],
      [16, 30, 59, 999],
      [16, 31, 0, 0],
      [16, 30, 30, 0],
    ] as const;
    const costs = times.map((time) => costOf(price, 'chat', { inputTokens: 1_000_000, outputTokens: 0 }, Date.UTC(2026, 10, 30, ...time)));
    expect(costs.map((amount) => amountText(amount ?? 0n))).toEqual(['1', '0.5', '0.5', '1', '0.5']);
  });

  it('apply to the service tiers batch and flex, and all combine', () => {
    const spec = {
      input: '1',
      output: '1',
      batch: { factor: 0.5 },
      tiers: [{ above_input_tokens: 100_000, input: '3' }],
      periods: [{ from: '11:00', to: '13:00', factor: '0.1' }],
    };
    expect(cost(spec, { inputTokens: 1_000_000, serviceTier: 'batch' })).toBe('0.15');
    expect(cost(spec, { inputTokens: 100_000, outputTokens: 100_000, serviceTier: 'flex' })).toBe('0.01');
    expect(cost(spec, { inputTokens: 100_000, serviceTier: 'default' })).toBe('0.01');
  });
});

describe('a price that is refused', () => {
  it('an error names the field and its unit', () => {
    expect(faults({})).toEqual([expect.stringContaining('give at least one amount')]);
    expect(faults({ input: '2,5', output: '1' })).toEqual([expect.stringMatching(/^input: .*per million tokens/)]);
    expect(faults({ per_picture: 'much' })[0]).toMatch(/^per_picture/);
    expect(faults({ per_picture: [{ size: '1024x1024' }] })).toEqual([
      expect.stringMatching(/^per_picture: must be an amount per picture/),
    ]);
    expect(faults({ input: '1', batch: { factor: 'half' } })[0]).toBe('batch.factor: must be a decimal such as 0.5');
    expect(faults({ per_second: '1', per_minute: '1' })).toEqual(['per_minute: give per_second or per_minute, not both']);
    expect(faults({ input: '1', periods: [{ from: '24:00', to: '8:00' }] })).toHaveLength(2);
    expect(faults({ input: '1', periods: [{ from: '08:00', to: '08:00' }] })[0]).toContain('ends when it begins');
    const twice = [
      { above_input_tokens: 9, input: '2' },
      { above_input_tokens: 9, input: '3' },
    ];
    expect(faults({ input: '1', tiers: twice })[0]).toContain('two tiers begin at the same');
    expect(faults({ input: '1', periods: [{ from: '22:00', to: '08:00', time_zone: 'Asia/Shangai' }] })[0]).toContain('time zone');
    expect(faults({ currency: 'RMB', input: '1' })).toEqual(['currency: "RMB" is not a currency code of ISO 4217: write CNY']);
  });
});

/** The price of an upstream model as configured: decimals of a currency, each in the unit of its field. */
import { z } from 'zod';
import { amountField, currencyField } from './money.ts';

const perMillionTokens = (what: string) => amountField('per million tokens', 9).describe(`Per million tokens: ${what}`);

/** Many vendors price pictures by size and quality. The first matching entry applies. */
const pictureList = z
  .array(
    z.strictObject({
      size: z.string().min(1).max(32).optional().describe('As callers ask for it, such as 1024x1024. Left out: any.'),
      quality: z.string().min(1).max(32).optional().describe('As callers ask for it, such as high. Left out: any.'),
      price: amountField('per picture', 12),
    }),
  )
  .min(1)
  .max(64);

const rates = {
  input: perMillionTokens('input that no other field prices.').optional(),
  cached_input: perMillionTokens('input read from the cache of the vendor. Left out: as input.').optional(),
  cache_write: perMillionTokens('input written to the cache of the vendor for some minutes. Left out: 1.25 times input.').optional(),
  cache_write_1h: perMillionTokens('input written to the cache of the vendor for an hour. Left out: twice input.').optional(),
  output: perMillionTokens('output that no other field prices, reasoning included.').optional(),
  audio_input: perMillionTokens('sound in the input. Left out: as input.').optional(),
  audio_output: perMillionTokens('sound in the output. Left out: as output.').optional(),
  image_input: perMillionTokens('pictures in the input. Left out: as input.').optional(),
  image_output: perMillionTokens('pictures in the output. Left out: as output.').optional(),
  per_picture: z
    .union([amountField('per picture', 12), pictureList], {
      error: 'must be an amount per picture such as "0.04", or a list of them: [{"size":"1024x1024","price":"0.04"}]',
    })
    .describe('An amount of the currency per picture that is made, or a list of them by size and quality.')
    .optional(),
  per_second: amountField('per second of sound', 12).optional(),
  per_minute: amountField('per minute of sound', 12).optional(),
  per_character: amountField('per character of the text that is spoken', 12).optional(),
  per_page: amountField('per page of a document', 12).optional(),
  per_search: amountField('per search (a rerank of up to 100 documents, or a search of the web)', 12).optional(),
  per_request: amountField('per request', 12).optional(),
};

const factor = z
  .union([z.string().regex(/^\d{1,3}(\.\d{1,6})?$/, 'must be a decimal such as 0.5'), z.number().min(0).max(999)], {
    error: 'must be a decimal such as 0.5',
  })
  .refine((value) => /^\d{1,3}(\.\d{1,6})?$/.test(String(value)), 'must be a decimal with at most six places')
  .optional()
  .describe('All amounts times this decimal, such as 0.5.');

const hour = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as 08:30');

export const timeZoneField = z
  .string()
  .min(1)
  .max(64)
  .refine(isTimeZone, 'must be a time zone of the IANA database, such as Asia/Shanghai, Europe/Berlin or UTC');

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** A peak or off-peak period. */
const period = z.strictObject({
  from: hour.describe('The time of day at which it begins.'),
  to: hour.describe('Not included. Before `from`: the next day.'),
  time_zone: timeZoneField.default('UTC').describe('The time zone of from and to, by its IANA name. Left out: UTC.'),
  days: z.array(z.int().min(1).max(7)).min(1).max(7).optional().describe('The days on which it begins, 1 for Monday. Left out: each day.'),
  factor,
  ...rates,
});

const tier = z.strictObject({
  above_input_tokens: z.int().min(1).max(100_000_000).describe('For calls whose whole input is larger. The highest that fits counts.'),
  ...rates,
});

const rateNames = Object.keys(rates) as readonly RateName[];

export const priceSpec = z
  .strictObject({
    currency: currencyField,
    ...rates,
    tiers: z
      .array(tier)
      .min(1)
      .max(16)
      .refine(
        (tiers) => new Set(tiers.map((each) => each.above_input_tokens)).size === tiers.length,
        'two tiers begin at the same above_input_tokens: give each its own',
      )
      .optional()
      .describe('Other amounts for a larger input. What a tier leaves out stays as it is.'),
    periods: z
      .array(period)
      .min(1)
      .max(16)
      .refine((periods) => periods.every(({ from, to }) => from !== to), 'a period ends when it begins: give another from or to')
      .optional()
      .describe('Other amounts at some hours. The first that fits the begin of a call counts.'),
    batch: z
      .strictObject({ factor, ...rates })
      .optional()
      .describe('Other amounts for an answer that the vendor gave at its tier of service batch or flex.'),
  })
  .refine(
    (price) => rateNames.some((each) => price[each] !== undefined),
    'give at least one amount, such as input and output (decimals per million tokens), per_picture, per_second or per_request',
  )
  .refine((price) => price.per_second === undefined || price.per_minute === undefined, {
    path: ['per_minute'],
    message: 'give per_second or per_minute, not both',
  });

export type PriceSpec = z.output<typeof priceSpec>;
export type RateName = keyof typeof rates;
export type RateSpecs = Partial<Pick<PriceSpec, RateName>>;

/** A compiled price: integer femto-units per unit. Cost is count times rate, so that parts add up to the cost of the sum. */
import type { Usage } from './chat.ts';
import { divided, type Femto, parseAmount } from './money.ts';
import type { PriceSpec, RateName, RateSpecs } from './price-spec.ts';
import type { Operation } from './wire-format.ts';

type SimpleRate = Exclude<RateName, 'per_picture'>;

interface PicturePrice {
  readonly size: string | null;
  readonly quality: string | null;
  readonly price: Femto;
}

interface Rates {
  readonly simple: Readonly<Partial<Record<SimpleRate, Femto>>>;
  readonly pictures: readonly PicturePrice[];
}

interface Variant {
  readonly rates: RateSpecs;
  readonly factor: Femto | null;
}

interface Period extends Variant {
  /** Minutes of the day. */
  readonly from: number;
  readonly to: number;
  readonly days: readonly number[] | null;
  readonly clock: (at: number) => { readonly minute: number; readonly day: number };
}

export interface Price {
  readonly currency: string;
  readonly spec: PriceSpec;
  /** By input length, longest first. */
  readonly tiers: readonly (Variant & { readonly above: number })[];
  readonly periods: readonly Period[];
  readonly batch: Variant | null;
  /** Memoized rates of each combination of tier, period and batch. */
  readonly known: Map<number, Rates>;
}

/** The ways in which an operation may be billed. A price serves an operation when it has all rates of one of them. */
export const billings: Readonly<Record<Operation, readonly (readonly RateName[])[]>> = {
  chat: [['input', 'output'], ['per_request']],
  embeddings: [['input'], ['per_request']],
  rerank: [['input'], ['per_search'], ['per_request']],
  images: [['per_picture'], ['image_output'], ['per_request']],
  transcriptions: [['per_second'], ['per_minute'], ['audio_input'], ['per_request']],
  speech: [['per_character'], ['per_second'], ['per_minute'], ['audio_output'], ['per_request']],
};

const tokensPerPrice = 1_000_000n;
const unitFemto: Femto = 10n ** 15n;
const isPerToken = (name: RateName): boolean => !name.startsWith('per_');

const clocks = new Map<string, Intl.DateTimeFormat>();
const weekdays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

function clockIn(timeZone: string): Period['clock'] {
  let format = clocks.get(timeZone);
  if (format === undefined)
    clocks.set(
      timeZone,
      (format = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', weekday: 'short', hour: '2-digit', minute: '2-digit' })),
    );
  // A call is priced several times within one minute, and formatting a date takes several microseconds.
  let knownMinute = Number.NaN;
  let known = { minute: 0, day: 0 };
  return (at) => {
    const minute = Math.floor(at / 60_000);
    if (minute === knownMinute) return known;
    const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
    known = { minute: Number(parts['hour']) * 60 + Number(parts['minute']), day: weekdays.indexOf(parts['weekday'] ?? '') + 1 };
    knownMinute = minute;
    return known;
  };
}

const minuteOf = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
const variantOf = (rates: RateSpecs & { readonly factor?: string | number | undefined }): Variant => ({
  rates,
  factor: rates.factor === undefined ? null : parseAmount(rates.factor),
});

export function compilePrice(spec: PriceSpec): Price {
  return {
    currency: spec.currency,
    spec,
    tiers: (spec.tiers ?? [])
      .map((tier) => ({ ...variantOf(tier), above: tier.above_input_tokens }))
      .toSorted((one, other) => other.above - one.above),
    periods: (spec.periods ?? []).map((period) => ({
      ...variantOf(period),
      from: minuteOf(period.from),
      to: minuteOf(period.to),
      days: period.days ?? null,
      clock: clockIn(period.time_zone),
    })),
    batch: spec.batch === undefined ? null : variantOf(spec.batch),
    known: new Map(),
  };
}

function covers({ from, to, days, clock }: Period, at: number): boolean {
  const { minute, day } = clock(at);
  const startsOn = (which: number): boolean => days === null || days.includes(which);
  if (from < to) return minute >= from && minute < to && startsOn(day);
  return (minute >= from && startsOn(day)) || (minute < to && startsOn(day === 1 ? 7 : day - 1));
}

const names: readonly SimpleRate[] = [
  'input',
  'cached_input',
  'cache_write',
  'cache_write_1h',
  'output',
  'audio_input',
  'audio_output',
  'image_input',
  'image_output',
  'per_second',
  'per_minute',
  'per_character',
  'per_page',
  'per_search',
  'per_request',
];

function amountIn(spec: string | number, times: Femto): Femto {
  return divided((parseAmount(spec) ?? 0n) * times, unitFemto);
}

function ratesOf(price: Price, layers: readonly (Variant | null | undefined)[]): Rates {
  const simple: Partial<Record<SimpleRate, Femto>> = {};
  let pictures: readonly PicturePrice[] = [];
  let times = unitFemto;
  const put = (rates: RateSpecs, factor: Femto): void => {
    for (const name of names) {
      const amount = rates[name];
      if (amount === undefined) continue;
      const whole = amountIn(amount, factor);
      simple[name] = isPerToken(name) ? divided(whole, tokensPerPrice) : whole;
    }
    const { per_picture: list } = rates;
    if (list === undefined) return;
    pictures = (typeof list === 'object' ? list : [{ price: list }]).map((each) => ({
      size: each.size ?? null,
      quality: each.quality ?? null,
      price: amountIn(each.price, factor),
    }));
  };
  for (const layer of layers) if (layer?.factor) times = (times * layer.factor) / unitFemto;
  // The factor of a layer multiplies the rates of earlier layers, not its own.
  put(price.spec, times);
  for (const [index, layer] of layers.entries()) {
    if (layer === null || layer === undefined) continue;
    const later = layers.slice(index + 1).reduce((all, each) => (each?.factor ? (all * each.factor) / unitFemto : all), unitFemto);
    put(layer.rates, later);
  }
  return { simple, pictures };
}

function ratesFor(price: Price, usage: Usage, at: number): Rates {
  const tier = price.tiers.length === 0 ? -1 : price.tiers.findIndex(({ above }) => usage.inputTokens > above);
  const period = price.periods.length === 0 ? -1 : price.periods.findIndex((each) => covers(each, at));
  const batch = price.batch !== null && (usage.serviceTier === 'batch' || usage.serviceTier === 'flex');
  const key = ((tier + 1) * 32 + period + 1) * 2 + (batch ? 1 : 0);
  let rates = price.known.get(key);
  if (rates === undefined)
    price.known.set(key, (rates = ratesOf(price, [price.tiers[tier], price.periods[period], batch ? price.batch : null])));
  return rates;
}

/** Splits input and output so that no token is counted twice. Tokens without a modality count as that of the operation: sound or pictures. */
function tokensCost({ simple }: Rates, operation: Operation, usage: Usage): Femto {
  const { audio_input: audioInput, audio_output: audioOutput, image_output: imageOutput } = simple;
  const input = (operation === 'transcriptions' ? audioInput : undefined) ?? simple.input ?? 0n;
  const output = (operation === 'images' ? imageOutput : operation === 'speech' ? audioOutput : undefined) ?? simple.output ?? 0n;
  let fresh = usage.inputTokens;
  const take = (count: number | undefined, rate: Femto): Femto => {
    const taken = Math.min(count ?? 0, fresh);
    fresh -= taken;
    return BigInt(taken) * rate;
  };
  const hour = Math.min(usage.cacheWrite1hTokens ?? 0, usage.cacheWriteTokens ?? 0);
  let cost =
    take(usage.cachedInputTokens, simple.cached_input ?? input) +
    take(hour, simple.cache_write_1h ?? 2n * input) +
    take((usage.cacheWriteTokens ?? 0) - hour, simple.cache_write ?? divided(5n * input, 4n)) +
    take(usage.audioInputTokens, simple.audio_input ?? input) +
    take(usage.imageInputTokens, simple.image_input ?? input);
  cost += BigInt(fresh) * input;
  fresh = usage.outputTokens;
  cost += take(usage.audioOutputTokens, simple.audio_output ?? output) + take(usage.imageOutputTokens, simple.image_output ?? output);
  return cost + BigInt(fresh) * output;
}

/** Null when no entry of the list matches the request. */
function picturesCost({ pictures }: Rates, { pictures: count = 0, pictureSize, pictureQuality }: Usage): Femto | null {
  if (count === 0 || pictures.length === 0) return 0n;
  const found = pictures.find(
    ({ size, quality }) => (size === null || size === pictureSize) && (quality === null || quality === pictureQuality),
  );
  return found === undefined ? null : BigInt(count) * found.price;
}

/** True when the price has a rate for the billing unit of the operation. */
export function serves({ spec }: Price, operation: Operation): boolean {
  return billings[operation].some((way) => way.every((name) => spec[name] !== undefined));
}

/** The cost of `usage` for a call that began at `at` (epoch milliseconds). Null when the price lacks the unit of the operation. */
export function costOf(price: Price, operation: Operation, usage: Usage, at: number): Femto | null {
  if (!serves(price, operation)) return null;
  const rates = ratesFor(price, usage, at);
  const pictures = picturesCost(rates, usage);
  if (pictures === null) return null;
  const {
    per_second: second,
    per_minute: minute,
    per_character: character,
    per_page: page,
    per_search: search,
    per_request: request,
  } = rates.simple;
  const sound = BigInt(usage.milliseconds ?? 0);
  return (
    tokensCost(rates, operation, usage) +
    pictures +
    (second === undefined ? 0n : divided(sound * second, 1_000n)) +
    (minute === undefined ? 0n : divided(sound * minute, 60_000n)) +
    BigInt(usage.characters ?? 0) * (character ?? 0n) +
    BigInt(usage.pages ?? 0) * (page ?? 0n) +
    BigInt(usage.searches ?? 0) * (search ?? 0n) +
    (request ?? 0n)
  );
}

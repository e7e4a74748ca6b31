/** Vendors' answers in each way of counting, with the usage that Pailou records. For the counting page and its tests. */
import type { Operation } from '../src/types/wire-format.ts';

export interface CountingSample {
  readonly operation: Operation;
  readonly way: string;
  /** Usage members of an answer in OpenAI's format. */
  readonly counts: object;
  /** The recorded usage, in the field names of `GET /api/runs`. */
  readonly booked: Readonly<Record<string, number | boolean>>;
  readonly price: object;
  /** The cost at that price. */
  readonly cost: number;
  /** The provider kind, where its own table of paths is needed. */
  readonly kind?: string;
}

const tokens = { currency: 'USD', input: '1', output: '10' };
const usage = (members: object): object => ({ usage: members });
/** What the same tokens are recorded and billed as, in any way of counting. */
const plainChat = { operation: 'chat', booked: { input_tokens: 1_000, output_tokens: 200 }, price: tokens, cost: 0.003 } as const;

export const countingSamples: readonly CountingSample[] = [
  { ...plainChat, way: 'prompt and completion', counts: usage({ prompt_tokens: 1_000, completion_tokens: 200, total_tokens: 1_200 }) },
  { ...plainChat, way: 'input and output', counts: usage({ input_tokens: 1_000, output_tokens: 200 }) },
  { ...plainChat, way: 'total and one of both', counts: usage({ prompt_tokens: 1_000, total_tokens: 1_200 }) },
  {
    operation: 'chat',
    way: 'cache hits and misses',
    counts: usage({ prompt_tokens: 1_000, completion_tokens: 0, prompt_cache_hit_tokens: 600, prompt_cache_miss_tokens: 400 }),
    booked: { input_tokens: 1_000, output_tokens: 0, cached_input_tokens: 600 },
    price: { ...tokens, cached_input: '0.1' },
    cost: 0.000_46,
  },
  {
    operation: 'chat',
    way: 'cache writes by lifetime',
    counts: usage({
      prompt_tokens: 1_000,
      completion_tokens: 0,
      prompt_tokens_details: { cached_tokens: 100, cache_write_tokens: 500 },
      cache_creation: { ephemeral_5m_input_tokens: 200, ephemeral_1h_input_tokens: 300 },
    }),
    booked: { input_tokens: 1_000, cached_input_tokens: 100, cache_write_tokens: 500, cache_write_1h_tokens: 300 },
    price: { ...tokens, cached_input: '0.1' },
    // 400 at 1, 100 at 0.1, 200 at 1.25, 300 at 2.
    cost: 0.001_26,
  },
  {
    operation: 'chat',
    way: 'sound and pictures apart',
    counts: usage({
      prompt_tokens: 1_000,
      completion_tokens: 100,
      prompt_tokens_details: { audio_tokens: 300, image_tokens: 200 },
      completion_tokens_details: { audio_tokens: 50, reasoning_tokens: 10 },
    }),
    booked: {
      input_tokens: 1_000,
      output_tokens: 100,
      audio_input_tokens: 300,
      image_input_tokens: 200,
      audio_output_tokens: 50,
      reasoning_tokens: 10,
    },
    price: { ...tokens, audio_input: '5', image_input: '2', audio_output: '20' },
    // 500 at 1, 300 at 5, 200 at 2, 50 at 10, 50 at 20.
    cost: 0.003_9,
  },
  {
    operation: 'chat',
    way: 'searches of the web',
    counts: usage({ prompt_tokens: 1_000, completion_tokens: 0, server_tool_use: { web_search_requests: 2 } }),
    booked: { input_tokens: 1_000, output_tokens: 0, searches: 2 },
    price: { ...tokens, per_search: '0.01' },
    cost: 0.021,
  },
  {
    operation: 'chat',
    way: 'its own cost, where the row has no price',
    counts: usage({ prompt_tokens: 1_000, completion_tokens: 200, cost: 0.0042 }),
    booked: { input_tokens: 1_000, output_tokens: 200 },
    price: {},
    cost: 0.0042,
    kind: 'openrouter',
  },
  {
    operation: 'embeddings',
    way: 'total only',
    counts: usage({ total_tokens: 700 }),
    booked: { input_tokens: 700, output_tokens: 0 },
    price: { currency: 'USD', input: '1' },
    cost: 0.0007,
  },
  {
    operation: 'embeddings',
    way: 'prompt and total',
    counts: usage({ prompt_tokens: 700, total_tokens: 700 }),
    booked: { input_tokens: 700, output_tokens: 0 },
    price: { currency: 'USD', input: '1' },
    cost: 0.0007,
  },
  {
    operation: 'rerank',
    way: 'total only',
    counts: usage({ total_tokens: 700 }),
    booked: { input_tokens: 700, output_tokens: 0 },
    price: { currency: 'USD', input: '1' },
    cost: 0.0007,
  },
  {
    operation: 'rerank',
    way: '`meta.tokens`',
    counts: { meta: { tokens: { input_tokens: 700 }, billed_units: { search_units: 1 } } },
    booked: { input_tokens: 700, output_tokens: 0, searches: 1 },
    price: { currency: 'USD', input: '1' },
    cost: 0.0007,
  },
  {
    operation: 'rerank',
    way: '`meta.billed_units.search_units`',
    counts: { meta: { billed_units: { search_units: 3 } } },
    booked: { searches: 3 },
    price: { currency: 'USD', per_search: '0.002' },
    cost: 0.006,
  },
  {
    operation: 'rerank',
    way: 'nothing',
    counts: {},
    booked: { searches: 1, estimated: true },
    price: { currency: 'USD', per_search: '0.002' },
    cost: 0.002,
  },
  {
    operation: 'images',
    way: 'pictures',
    counts: {},
    booked: { pictures: 2 },
    price: { currency: 'USD', per_picture: [{ size: '512x512', price: '0.02' }] },
    cost: 0.04,
  },
  {
    operation: 'images',
    way: 'tokens',
    counts: usage({
      input_tokens: 100,
      output_tokens: 2_000,
      total_tokens: 2_100,
      input_tokens_details: { image_tokens: 40, text_tokens: 60 },
    }),
    booked: { input_tokens: 100, output_tokens: 2_000, image_input_tokens: 40, pictures: 2 },
    price: { currency: 'USD', input: '5', image_input: '10', image_output: '40' },
    // 60 at 5, 40 at 10, 2,000 at 40.
    cost: 0.0807,
  },
  {
    operation: 'transcriptions',
    way: 'duration',
    counts: usage({ type: 'duration', seconds: 90 }),
    booked: { milliseconds: 90_000 },
    price: { currency: 'USD', per_minute: '0.006' },
    cost: 0.009,
  },
  {
    operation: 'transcriptions',
    way: 'duration beside the text',
    counts: { duration: 90.5 },
    booked: { milliseconds: 90_500 },
    price: { currency: 'USD', per_second: '0.0001' },
    cost: 0.009_05,
  },
  {
    operation: 'transcriptions',
    way: 'tokens',
    counts: usage({ type: 'tokens', input_tokens: 600, output_tokens: 100, input_token_details: { audio_tokens: 600 } }),
    booked: { input_tokens: 600, output_tokens: 100, audio_input_tokens: 600 },
    price: { currency: 'USD', audio_input: '6', output: '10' },
    cost: 0.0046,
  },
  {
    operation: 'transcriptions',
    way: 'nothing: the length of the file',
    counts: {},
    booked: { milliseconds: 2_000, estimated: true },
    price: { currency: 'USD', per_second: '0.0001' },
    cost: 0.0002,
  },
  {
    operation: 'speech',
    way: 'nothing: the characters of the text',
    counts: {},
    booked: { characters: 5, estimated: true },
    price: { currency: 'USD', per_character: '0.000015' },
    cost: 0.000_075,
  },
];

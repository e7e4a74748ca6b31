/** Counts of OpenAI-compatible vendors. */
import type { Usage } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { CountPaths, Reading } from '../../../types/wire-format.ts';
import { addOtherCounts, type Counts, otherCounts, readCounts, serviceTierOf } from '../../usage-counts.ts';

/** In order of precedence: OpenAI's path first, then those of Moonshot, DeepSeek, SGLang, Qwen, OpenRouter, Cohere, Jina, Perplexity, Mistral. */
export const openaiUsagePaths: CountPaths = {
  inputTokens: ['usage.prompt_tokens', 'usage.input_tokens', 'meta.tokens.input_tokens', 'meta.billed_units.input_tokens'],
  outputTokens: ['usage.completion_tokens', 'usage.output_tokens', 'meta.tokens.output_tokens', 'meta.billed_units.output_tokens'],
  totalTokens: ['usage.total_tokens', 'meta.tokens.total_tokens'],
  cachedInputTokens: [
    'usage.prompt_tokens_details.cached_tokens',
    'usage.input_tokens_details.cached_tokens',
    'usage.cached_tokens',
    'usage.prompt_cache_hit_tokens',
    'usage.cache_read_input_tokens',
  ],
  cacheWriteTokens: [
    'usage.prompt_tokens_details.cache_write_tokens',
    'usage.input_tokens_details.cache_write_tokens',
    'usage.prompt_tokens_details.cache_creation_input_tokens',
    'usage.cache_creation_input_tokens',
    'usage.cache_write_tokens',
  ],
  cacheWrite1hTokens: [
    'usage.cache_creation.ephemeral_1h_input_tokens',
    'usage.prompt_tokens_details.cache_creation.ephemeral_1h_input_tokens',
  ],
  reasoningTokens: [
    'usage.completion_tokens_details.reasoning_tokens',
    'usage.output_tokens_details.reasoning_tokens',
    'usage.reasoning_tokens',
  ],
  audioInputTokens: [
    'usage.prompt_tokens_details.audio_tokens',
    'usage.input_tokens_details.audio_tokens',
    'usage.input_token_details.audio_tokens',
  ],
  audioOutputTokens: ['usage.completion_tokens_details.audio_tokens', 'usage.output_tokens_details.audio_tokens'],
  imageInputTokens: ['usage.prompt_tokens_details.image_tokens', 'usage.input_tokens_details.image_tokens'],
  imageOutputTokens: ['usage.completion_tokens_details.image_tokens', 'usage.output_tokens_details.image_tokens'],
  pictures: ['usage.generated_images', 'usage.image_count'],
  seconds: ['usage.seconds', 'usage.duration', 'usage.audio_seconds', 'duration'],
  characters: ['usage.characters', 'usage.input_characters', 'extra_info.usage_characters'],
  pages: ['usage.pages_processed', 'usage_info.pages_processed', 'meta.billed_units.pages'],
  searches: [
    'usage.server_tool_use.web_search_requests',
    'usage.server_tool_use_details.web_search_requests',
    'meta.billed_units.search_units',
    'usage.search_units',
    'usage.num_search_queries',
    'usage.plugins.search.count',
  ],
};

/** For an operation without output: a total alone is input. */
export interface UsageOptions {
  readonly inputOnly?: boolean;
  readonly reading?: Pick<Reading, 'usage' | 'costCurrency'> | undefined;
}

const outside = new WeakMap<CountPaths, boolean>();

/** True when a vendor's counts are outside `usage`. */
function isOutside(more: CountPaths | undefined): boolean {
  if (more === undefined) return false;
  let found = outside.get(more);
  if (found === undefined)
    outside.set(
      more,
      (found = Object.values(more)
        .flat()
        .some((path) => !path.startsWith('usage.'))),
    );
  return found;
}

/** The object of the counts: `usage`, or Groq's own member of the last chunk. */
function usageObject(answer: JsonObject): Json | undefined {
  const groq = answer['x_groq'];
  return answer['usage'] ?? (isJsonObject(groq) ? groq['usage'] : undefined);
}

/** The numbers of an answer or chunk, as the vendor wrote them. */
export function countsIn(answer: JsonObject, reading: UsageOptions['reading']): Counts {
  const own = usageObject(answer);
  return readCounts(own === (answer['usage'] ?? undefined) ? answer : { ...answer, usage: own ?? null }, openaiUsagePaths, reading?.usage);
}

/** The usage of an answer or chunk, or null. */
export function readUsage(answer: JsonObject, { inputOnly = false, reading }: UsageOptions = {}): Usage | null {
  const own = usageObject(answer);
  // Most chunks have no counts; this path must cost nothing.
  if (!isJsonObject(own) && !isJsonObject(answer['meta']) && !inputOnly && !isOutside(reading?.usage)) return null;
  const counts = countsIn(answer, reading);
  const { inputTokens: input, outputTokens: output, totalTokens: total } = counts;
  if (input === undefined && output === undefined && total === undefined && Object.keys(otherCounts(counts)).length === 0) return null;
  const usage = isJsonObject(own) ? own : {};
  const inputDetails = isJsonObject(usage['prompt_tokens_details']) ? usage['prompt_tokens_details'] : undefined;
  const outputDetails = isJsonObject(usage['completion_tokens_details']) ? usage['completion_tokens_details'] : undefined;
  const { costCurrency } = reading ?? {};
  const read: { -readonly [Name in keyof Usage]: Usage[Name] } = {
    inputTokens: input ?? (total === undefined ? 0 : Math.max(0, total - (output ?? 0))),
    outputTokens: output ?? (inputOnly || input === undefined ? 0 : Math.max(0, (total ?? 0) - input)),
  };
  addOtherCounts(read, counts);
  const tier = answer['service_tier'] ?? usage['service_tier'];
  if (tier !== undefined) Object.assign(read, serviceTierOf(tier));
  if (counts.cost !== undefined && costCurrency !== undefined) read.reportedCost = { amount: counts.cost, currency: costCurrency };
  if (inputDetails !== undefined) read.inputDetails = inputDetails;
  if (outputDetails !== undefined) read.outputDetails = outputDetails;
  return read;
}

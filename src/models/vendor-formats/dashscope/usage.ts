/** DashScope's counts: each part of a stream has those of the whole answer so far. */
import type { Usage } from '../../../types/chat.ts';
import { isJsonObject, type JsonObject } from '../../../types/json.ts';
import type { CountPaths } from '../../../types/wire-format.ts';
import { otherCounts, readCounts, uncountedSide } from '../../usage-counts.ts';

const paths: CountPaths = {
  inputTokens: ['input_tokens', 'prompt_tokens'],
  outputTokens: ['output_tokens', 'completion_tokens'],
  totalTokens: ['total_tokens'],
  cachedInputTokens: ['prompt_tokens_details.cached_tokens', 'input_tokens_details.cached_tokens'],
  cacheWriteTokens: ['prompt_tokens_details.cache_creation_input_tokens', 'input_tokens_details.cache_creation_input_tokens'],
  reasoningTokens: ['output_tokens_details.reasoning_tokens', 'completion_tokens_details.reasoning_tokens'],
  audioInputTokens: ['input_tokens_details.audio_tokens', 'prompt_tokens_details.audio_tokens', 'audio_tokens'],
  audioOutputTokens: ['output_tokens_details.audio_tokens', 'completion_tokens_details.audio_tokens'],
  imageInputTokens: ['input_tokens_details.image_tokens', 'prompt_tokens_details.image_tokens', 'image_tokens'],
  pictures: ['image_count'],
  seconds: ['duration'],
  characters: ['characters'],
  searches: ['plugins.search.count'],
};

function details(usage: JsonObject, ...names: readonly string[]): JsonObject | undefined {
  return names.map((name) => usage[name]).find(isJsonObject);
}

/** Null without counts. Embeddings and reranking have only a total, which is all input. */
export function readUsage(answer: JsonObject): Usage | null {
  const usage = answer['usage'];
  if (!isJsonObject(usage)) return null;
  const counts = readCounts(usage, paths);
  const { outputTokens: output, totalTokens: total } = counts;
  const input = counts.inputTokens ?? (total === undefined ? undefined : Math.max(0, total - (output ?? 0)));
  if (input === undefined && output === undefined) return null;
  // A total beside the input contains the output. A total alone is all input: embeddings and reranking have no output.
  const rest = counts.inputTokens === undefined || total === undefined ? undefined : Math.max(0, total - counts.inputTokens);
  const inputDetails = details(usage, 'prompt_tokens_details', 'input_tokens_details');
  const outputDetails = details(usage, 'output_tokens_details', 'completion_tokens_details');
  return {
    ...otherCounts(counts),
    inputTokens: input ?? 0,
    outputTokens: output ?? rest ?? 0,
    ...(counts.inputTokens === undefined && output === undefined ? {} : uncountedSide(input, output ?? rest)),
    ...(inputDetails === undefined ? {} : { inputDetails }),
    ...(outputDetails === undefined ? {} : { outputDetails }),
  };
}

/** DashScope's counts: each part of a stream has those of the whole answer so far. */
import type { Usage } from '../../../types/chat.ts';
import { isJsonObject, type JsonObject } from '../../../types/json.ts';
import type { CountPaths } from '../../../types/wire-format.ts';
import { otherCounts, readCounts } from '../../usage-counts.ts';

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
  const output = counts.outputTokens ?? 0;
  const input = counts.inputTokens ?? (counts.totalTokens === undefined ? undefined : Math.max(0, counts.totalTokens - output));
  if (input === undefined) return null;
  const inputDetails = details(usage, 'prompt_tokens_details', 'input_tokens_details');
  const outputDetails = details(usage, 'output_tokens_details', 'completion_tokens_details');
  return {
    ...otherCounts(counts),
    inputTokens: input,
    outputTokens: output,
    ...(inputDetails === undefined ? {} : { inputDetails }),
    ...(outputDetails === undefined ? {} : { outputDetails }),
  };
}

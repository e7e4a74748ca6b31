/** Counts of Gemini: thoughts are counted apart from the answer, and are output all the same. */
import type { Usage } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import type { CountPaths } from '../../../types/wire-format.ts';
import { otherCounts, readCounts } from '../../usage-counts.ts';

const paths: CountPaths = {
  inputTokens: ['promptTokenCount'],
  outputTokens: ['candidatesTokenCount', 'responseTokenCount'],
  totalTokens: ['totalTokenCount'],
  cachedInputTokens: ['cachedContentTokenCount'],
  reasoningTokens: ['thoughtsTokenCount'],
};

/** Of one kind, such as AUDIO, in a list of counts by kind. */
function ofKind(list: Json | undefined, kind: string): number | undefined {
  if (!Array.isArray(list)) return undefined;
  const entry = list.find((each: Json) => isJsonObject(each) && each['modality'] === kind);
  const count = isJsonObject(entry) ? entry['tokenCount'] : undefined;
  return typeof count === 'number' ? count : undefined;
}

/** Null where the answer has none: most parts of a stream at Vertex name only the kind of traffic. */
export function readUsage(answer: JsonObject): Usage | null {
  const usage = answer['usageMetadata'];
  if (!isJsonObject(usage)) return null;
  const counts = readCounts(usage, paths);
  const { inputTokens: prompt, totalTokens: total, reasoningTokens: thoughts = 0 } = counts;
  if (prompt === undefined && total === undefined) return null;
  const tools = usage['toolUsePromptTokenCount'];
  const input = (prompt ?? 0) + (typeof tools === 'number' ? tools : 0);
  const candidates = counts.outputTokens ?? Math.max(0, (total ?? input) - input - thoughts);
  const kinds = {
    audioInputTokens: ofKind(usage['promptTokensDetails'], 'AUDIO'),
    imageInputTokens: ofKind(usage['promptTokensDetails'], 'IMAGE'),
    audioOutputTokens: ofKind(usage['candidatesTokensDetails'], 'AUDIO'),
    imageOutputTokens: ofKind(usage['candidatesTokensDetails'], 'IMAGE'),
  };
  return {
    ...otherCounts(counts),
    ...Object.fromEntries(Object.entries(kinds).filter(([, count]) => count !== undefined)),
    inputTokens: input,
    outputTokens: candidates + thoughts,
  };
}

/** Gemini's counts: reasoning is counted separately from the answer, and is output too. */
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

/** The count of one modality, such as AUDIO, in a list of counts. */
function ofKind(list: Json | undefined, kind: string): number | undefined {
  if (!Array.isArray(list)) return undefined;
  const entry = list.find((each: Json) => isJsonObject(each) && each['modality'] === kind);
  const count = isJsonObject(entry) ? entry['tokenCount'] : undefined;
  return typeof count === 'number' ? count : undefined;
}

/** Null without counts: most parts of a Vertex stream only have the traffic type. */
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

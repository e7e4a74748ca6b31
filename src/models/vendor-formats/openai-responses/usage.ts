/** Token counts of the Responses format. */
import type { Usage } from '../../../types/chat.ts';
import { isJsonObject, type Json } from '../../../types/json.ts';
import { uncountedSide } from '../../usage-counts.ts';

function count(value: Json | undefined): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** `searches`: those of the web, which the answer's items count. Null when the vendor reports no counts. */
export function readUsage(usage: Json | undefined, searches = 0): Usage | null {
  if (!isJsonObject(usage)) return null;
  const input = count(usage['input_tokens']);
  const output = count(usage['output_tokens']);
  if (input === undefined && output === undefined) return null;
  const inputDetails = isJsonObject(usage['input_tokens_details']) ? usage['input_tokens_details'] : undefined;
  const outputDetails = isJsonObject(usage['output_tokens_details']) ? usage['output_tokens_details'] : undefined;
  const cached = count(inputDetails?.['cached_tokens']);
  const reasoning = count(outputDetails?.['reasoning_tokens']);
  return {
    inputTokens: input ?? 0,
    outputTokens: output ?? 0,
    ...uncountedSide(input, output),
    ...(cached === undefined ? {} : { cachedInputTokens: cached }),
    ...(searches === 0 ? {} : { searches }),
    ...(reasoning === undefined ? {} : { reasoningTokens: reasoning }),
  };
}

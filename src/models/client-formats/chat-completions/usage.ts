/** Token counts in OpenAI's shape. */
import type { Usage } from '../../../types/chat.ts';
import type { JsonObject } from '../../../types/json.ts';

/** The vendor's details that are whole numbers, as the published schema requires; an empty text without any. */
function renderDetails(name: string, given: JsonObject | undefined, counts: Readonly<Record<string, number | undefined>>): string {
  let members = '';
  for (const each in given) {
    const value = given[each];
    if (typeof value === 'number' && Number.isSafeInteger(value)) members += `${members === '' ? '' : ','}${JSON.stringify(each)}:${value}`;
  }
  for (const key in counts) {
    const known = counts[key];
    if (known !== undefined && !Number.isSafeInteger(given?.[key])) members += `${members === '' ? '' : ','}"${key}":${known}`;
  }
  return members === '' ? '' : `,"${name}":{${members}}`;
}

/**
 * OpenAI's usage object as JSON text. The total is always the sum. An estimate carries `estimated: true`, unless `closed` forbids members
 * beyond the schema. Null is written as zeros with that mark; a recorded answer never has it.
 */
export function renderUsage(usage: Usage | null, closed: boolean): string {
  const input = usage?.inputTokens ?? 0;
  const output = usage?.outputTokens ?? 0;
  const inputDetails = renderDetails('prompt_tokens_details', usage?.inputDetails, {
    cached_tokens: usage?.cachedInputTokens,
    ...(closed || usage?.cacheWriteTokens === undefined ? {} : { cache_write_tokens: usage.cacheWriteTokens }),
  });
  const outputDetails = renderDetails('completion_tokens_details', usage?.outputDetails, { reasoning_tokens: usage?.reasoningTokens });
  const mark = (usage === null || usage.estimated === true) && !closed ? ',"estimated":true' : '';
  return `{"prompt_tokens":${input},"completion_tokens":${output},"total_tokens":${input + output}${inputDetails}${outputDetails}${mark}}`;
}

/**
 * Compaction: one item with a summary replaces the earlier conversation. Where the vendor has no compaction, the model writes the summary.
 * The item holds the encoded summary, so that the gateway stores no state.
 */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { decodeReasoning, encodeReasoning } from '../encoded-reasoning.ts';

const request = `Write a summary of this conversation that replaces it. Another model continues the work with the summary alone, so include all that it needs:
- what the user asked for, with every requirement, constraint and preference
- what was done and decided so far, and the results, with exact names, paths, commands, numbers and errors
- the state of the work now, and the next steps

Write the summary only. Call no tools.`;

const heading = 'This is the summary of the earlier conversation. It replaces the messages before this one.\n\n';

/** Types of items that hold a compacted conversation. */
const types: ReadonlySet<string> = new Set(['compaction', 'compaction_summary', 'context_compaction']);

function last(input: Json | undefined): JsonObject | undefined {
  const item = Array.isArray(input) ? (input as readonly Json[]).at(-1) : undefined;
  return isJsonObject(item) ? item : undefined;
}

/** True when the input ends with the wish to compact it. */
export function asksForCompaction(input: Json | undefined): boolean {
  return last(input)?.['type'] === 'compaction_trigger';
}

/** The message that asks a model for the summary. */
export const summaryRequest: JsonObject = { role: 'user', content: request };

/** `encrypted_content` of a compaction item. */
export function encodeSummary(summary: string): string {
  return encodeReasoning({ compaction: summary });
}

/** The message in the place of the conversation. */
export function summaryMessage(summary: string): JsonObject {
  return { role: 'user', content: heading + summary };
}

/** The summary in a compaction item as a text for the model; undefined for other items, and for a summary that only OpenAI can read. */
export function contextOf(item: JsonObject, type: string): string | undefined {
  const data = item['encrypted_content'];
  if (!types.has(type) || typeof data !== 'string') return undefined;
  const summary = decodeReasoning(data)?.['compaction'];
  return typeof summary === 'string' ? heading + summary : undefined;
}

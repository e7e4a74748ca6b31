/** What a person said to calls that waited, as input items: those that decide something now, and none that decided earlier. */
import type { Decision } from '../../../types/approval-decision.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { invalid } from './request-errors.ts';
import { responseOfItem } from './ids.ts';

/** What a model says or does; a client that sends the whole conversation has such items behind each decision of earlier turns. */
const said: ReadonlySet<unknown> = new Set(['reasoning', 'function_call', 'custom_tool_call', 'mcp_call']);

function isSaid(item: Json): boolean {
  return isJsonObject(item) && (said.has(item['type']) || item['role'] === 'assistant');
}

function readDecision(item: JsonObject, index: number): Decision {
  const { approval_request_id: id, approve } = item;
  const place = `input[${index}].approval_request_id`;
  if (typeof id !== 'string' || id === '') throw invalid(place, 'must be the id of an mcp_approval_request.');
  if (typeof approve !== 'boolean') throw invalid(`input[${index}].approve`, 'must be true or false.');
  return { id, approve, place };
}

/** Throws a fault naming the item. */
export function readDecisions(input: Json | undefined): Decision[] {
  if (!Array.isArray(input)) return [];
  const items = input as readonly Json[];
  const from = items.findLastIndex(isSaid) + 1;
  const decisions = items.flatMap((item, index) =>
    index >= from && isJsonObject(item) && item['type'] === 'mcp_approval_response' ? [readDecision(item, index)] : [],
  );
  // An answer that only asks says nothing between one decision and the next; what waits together came with one response.
  const last = responseOfItem(decisions.at(-1)?.id ?? '');
  return decisions.filter(({ id }) => responseOfItem(id) === last);
}

/** Reads approval decisions from input items: the new ones only, not those of earlier turns. */
import type { Decision } from '../../../types/approval-decision.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { invalid } from './request-errors.ts';
import { responseOfItem } from './ids.ts';

/** Items of a model's output. In a whole conversation they follow each decision of an earlier turn. */
const outputTypes: ReadonlySet<unknown> = new Set(['reasoning', 'function_call', 'custom_tool_call', 'mcp_call']);

function isOutput(item: Json): boolean {
  return isJsonObject(item) && (outputTypes.has(item['type']) || item['role'] === 'assistant');
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
  const from = items.findLastIndex(isOutput) + 1;
  const decisions = items.flatMap((item, index) =>
    index >= from && isJsonObject(item) && item['type'] === 'mcp_approval_response' ? [readDecision(item, index)] : [],
  );
  // A response with approval requests alone has no output between two decisions. Pending approvals of one response are decided together.
  const last = responseOfItem(decisions.at(-1)?.id ?? '');
  return decisions.filter(({ id }) => responseOfItem(id) === last);
}

/** Calls that Pailou made itself as blocks of Anthropic's trial feature `mcp-client`, and as words where the format has none. */
import type { ChatEvent } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { approvedCallId, placeOf, serverToolCallId, serverToolOutput } from '../server-tool-events.ts';

type Step = Extract<ChatEvent, { type: 'step' }>;

const ownPattern = /^mcptoolu_([0-9a-f]{36})$/;
/** The whole of it stands in `pailou.steps`. */
const mostShown = 2_000;

/** `message` is the id of the message, `msg_…`; `approval` the id of the question, if there was one. */
export function mcpBlockId(message: string, index: number, approval?: string): string {
  if (approval !== undefined) return approvedCallId(approval).replace('mcp_', 'mcptoolu_');
  return `mcptoolu_${message.slice('msg_'.length)}${index.toString(16).padStart(4, '0')}`;
}

/** The id in the conversation. */
export function toldIdOf(blockId: string): string {
  const own = ownPattern.exec(blockId)?.[1];
  return own === undefined ? serverToolCallId(blockId) : `mcp_${own}`;
}

/** Whether a message holds blocks that Anthropic never wrote, and could not place. */
export function hasOwnBlocks({ content }: JsonObject): boolean {
  const isOwn = (block: Json): boolean => isJsonObject(block) && typeof block['id'] === 'string' && ownPattern.test(block['id']);
  return Array.isArray(content) && content.some(isOwn);
}

/** JSON of an object, whatever the model wrote. */
function inputText(given: string): string {
  try {
    const parsed = JSON.parse(given === '' ? '{}' : given) as Json;
    if (isJsonObject(parsed)) return given === '' ? '{}' : given;
  } catch {
    // Told as it is, below.
  }
  return JSON.stringify({ arguments: given });
}

/** The block as it begins, and what follows of it. */
export function mcpUse({ step, call }: Step, id: string): { readonly block: JsonObject; readonly delta: JsonObject } {
  const { server, name } = placeOf(step.capability);
  const block = { type: 'mcp_tool_use', id, name, server_name: server, input: {} };
  return { block, delta: { type: 'input_json_delta', partial_json: inputText(call?.arguments ?? '') } };
}

export function mcpResult({ step, call }: Step, id: string): JsonObject {
  const content = [{ type: 'text', text: serverToolOutput(call?.output ?? '') }];
  return { type: 'mcp_tool_result', tool_use_id: id, is_error: step.status === 'failed', content };
}

/** Says which calls wait for a person and how to answer: the format has nothing for it. */
export function approvalWords(asked: readonly Step[]): string {
  const waits = asked.map(({ step, call }) => {
    const given = call?.arguments ?? '{}';
    const shown = given.length > mostShown ? `${given.slice(0, mostShown).toWellFormed()}… (all of it is in pailou.steps)` : given;
    return `${step.capability} waits for your approval of the input ${shown}`;
  });
  const approvals = asked.map(({ step }) => `{"id": "${step.id}", "approve": true}`).join(', ');
  return [...waits, `To answer, send this conversation again with "gateway": {"approvals": [${approvals}]}; false refuses.`].join('\n');
}

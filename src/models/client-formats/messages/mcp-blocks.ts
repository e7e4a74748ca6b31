/** Server-side calls as blocks of Anthropic's beta feature `mcp-client`, and as text where the format has no block. */
import type { ChatEvent } from '../../../types/chat.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { approvedCallId, serverAndTool, serverToolCallId, serverToolOutput } from '../server-tool-events.ts';

type Step = Extract<ChatEvent, { type: 'step' }>;

const blockIdPattern = /^mcptoolu_([0-9a-f]{36})$/;
/** Longest input in the text, in characters. `pailou.steps` holds all of it. */
const maxInputShown = 2_000;

/** `message`: the message id, `msg_…`. `approval`: the id of the pending approval, if any. */
export function mcpBlockId(message: string, index: number, approval?: string): string {
  if (approval !== undefined) return approvedCallId(approval).replace('mcp_', 'mcptoolu_');
  return `mcptoolu_${message.slice('msg_'.length)}${index.toString(16).padStart(4, '0')}`;
}

/** The id of the call in the conversation. */
export function callIdOfBlock(blockId: string): string {
  const own = blockIdPattern.exec(blockId)?.[1];
  return own === undefined ? serverToolCallId(blockId) : `mcp_${own}`;
}

/** True when a message holds blocks that Pailou wrote and Anthropic would refuse. */
export function hasPailouBlocks({ content }: JsonObject): boolean {
  const isPailouBlock = (block: Json): boolean =>
    isJsonObject(block) && typeof block['id'] === 'string' && blockIdPattern.test(block['id']);
  return Array.isArray(content) && content.some(isPailouBlock);
}

/** The JSON text of an object, whatever the model wrote. */
function inputText(input: string): string {
  try {
    const parsed = JSON.parse(input === '' ? '{}' : input) as Json;
    if (isJsonObject(parsed)) return input === '' ? '{}' : input;
  } catch {
    // Wrapped unchanged below.
  }
  return JSON.stringify({ arguments: input });
}

/** The block at its start, and the delta that follows. */
export function mcpUse({ step, call }: Step, id: string): { readonly block: JsonObject; readonly delta: JsonObject } {
  const { server, name } = serverAndTool(step.capability);
  const block = { type: 'mcp_tool_use', id, name, server_name: server, input: {} };
  return { block, delta: { type: 'input_json_delta', partial_json: inputText(call?.arguments ?? '') } };
}

export function mcpResult({ step, call }: Step, id: string): JsonObject {
  const content = [{ type: 'text', text: serverToolOutput(call?.output ?? '') }];
  return { type: 'mcp_tool_result', tool_use_id: id, is_error: step.status === 'failed', content };
}

/** A text that lists the pending approvals and how to answer them, because the format has no block for it. */
export function approvalInstructions(pending: readonly Step[]): string {
  const lines = pending.map(({ step, call }) => {
    const input = call?.arguments ?? '{}';
    const shown = input.length > maxInputShown ? `${input.slice(0, maxInputShown).toWellFormed()}… (all of it is in pailou.steps)` : input;
    return `${step.capability} waits for your approval of the input ${shown}`;
  });
  const approvals = pending.map(({ step }) => `{"id": "${step.id}", "approve": true}`).join(', ');
  return [...lines, `To answer, send this conversation again with "gateway": {"approvals": [${approvals}]}; false refuses.`].join('\n');
}

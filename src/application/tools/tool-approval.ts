/** Requests a person's approval of a tool call through the caller's own client, before the server receives anything. */
import { createHash } from 'node:crypto';
import type { SecretBox } from '../../storage/secret-box.ts';
import { canonicalJson } from '../../schema/canonical-json.ts';
import { GatewayError } from '../../types/errors.ts';
import { isJsonObject, type JsonObject } from '../../types/json.ts';
import type { McpServerSpec } from '../../types/resources.ts';
import { type McpPeer, SourceRefusal, type ToolDefinition, type ToolResult } from '../../types/tool-source.ts';

export interface ApprovalGate {
  /** The peer to continue with after an approval, or the question, or the text for the model after a refusal. Throws `permission_denied` if the client cannot ask. */
  ask(wanted: ApprovalRequest): { readonly agreed: McpPeer } | { readonly answer: ToolResult };
  /** Adds the approval to the server's own question, so that the answer to it finds the approval again. */
  keep(wanted: ApprovalRequest, answer: ToolResult): ToolResult;
}

/** One call that requires approval, by the person `holder`. */
export interface ApprovalRequest {
  readonly holder: string;
  readonly tool: string;
  readonly input: JsonObject;
  readonly peer: McpPeer;
}

const question = 'pailou_approval';
const goodForMs = 600_000;
const longestInput = 2_000;

/** By MCP's hints. A tool without hints requires approval. */
export function requiresApproval(approval: McpServerSpec['approval'], { annotations }: ToolDefinition): boolean {
  if (approval === 'always') return true;
  if (approval === 'never') return false;
  return annotations?.['readOnlyHint'] !== true && annotations?.['destructiveHint'] !== false;
}

function mayAsk({ capabilities }: McpPeer): boolean {
  const { elicitation } = capabilities;
  return isJsonObject(elicitation) && (elicitation['form'] !== undefined || Object.keys(elicitation).length === 0);
}

/** `states` seals the state that a client returns between two requests. Any node can open it. */
export function createApprovalGate(states: SecretBox): ApprovalGate {
  /** What the person approved: this call of this person only. */
  const contextOf = ({ holder, tool, input }: ApprovalRequest): string =>
    `mcp approval ${createHash('sha256')
      .update(canonicalJson([holder, tool, input]))
      .digest('base64url')}`;
  const seal = (wanted: ApprovalRequest, agreed: boolean, upstream: string | null): string =>
    states.seal(JSON.stringify({ agreed, upstream, until: Date.now() + goodForMs }), contextOf(wanted)).$sealed;
  const open = (wanted: ApprovalRequest, state: string): { agreed: boolean; upstream: string | null } => {
    try {
      const opened = JSON.parse(states.open({ $sealed: state }, contextOf(wanted))) as {
        agreed: boolean;
        upstream: string | null;
        until: number;
      };
      if (opened.until > Date.now()) return opened;
    } catch {
      // Reported below, as for an expired state.
    }
    throw new SourceRefusal('The request state is not valid for this call any more. Call the tool again.', -32_602, {
      reason: 'invalid_request_state',
    });
  };

  const approvalQuestion = (wanted: ApprovalRequest): ToolResult => {
    const shownInput = JSON.stringify(wanted.input, null, 2);
    const message = `Allow the tool ${wanted.tool} to run with this input?\n${shownInput.slice(0, longestInput)}${shownInput.length > longestInput ? '\n…' : ''}`;
    const approve = { type: 'boolean', title: 'Allow', description: 'The tool may change or delete something.' };
    const params = { mode: 'form', message, requestedSchema: { type: 'object', properties: { approve }, required: ['approve'] } };
    return {
      resultType: 'input_required',
      inputRequests: { [question]: { method: 'elicitation/create', params } },
      requestState: seal(wanted, false, null),
    } as unknown as ToolResult;
  };

  return {
    ask(wanted) {
      const { peer, tool } = wanted;
      const state = peer.requestState === undefined ? null : open(wanted, peer.requestState);
      const { [question]: reply, ...others } = peer.inputResponses ?? {};
      const { requestState: _state, inputResponses: _responses, ...rest } = peer;
      if (state?.agreed === true) {
        const upstream = state.upstream === null ? {} : { requestState: state.upstream };
        return { agreed: { ...rest, ...upstream, ...(Object.keys(others).length === 0 ? {} : { inputResponses: others }) } };
      }
      // Without Pailou's own state the answer may belong to another question.
      if (state === null || !isJsonObject(reply)) {
        if (!mayAsk(peer)) {
          throw new GatewayError(
            'permission_denied',
            `The tool ${tool} needs a person's approval, and your client cannot ask for one (it does not offer elicitation). Use a client that can.`,
          );
        }
        return { answer: approvalQuestion(wanted) };
      }
      const content = reply['content'];
      if (reply['action'] === 'accept' && isJsonObject(content) && content['approve'] === true) return { agreed: rest };
      return { answer: { content: [{ type: 'text', text: `The person did not allow ${tool} to run. Nothing was done.` }], isError: true } };
    },
    keep(wanted, answer) {
      if (answer.resultType !== 'input_required') return answer;
      const { requestState } = answer as unknown as { readonly requestState?: unknown };
      return { ...answer, requestState: seal(wanted, true, typeof requestState === 'string' ? requestState : null) } as ToolResult;
    },
  };
}

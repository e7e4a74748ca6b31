/** Calls `mcp/<server>/<tool>`: checks the right, opens the run, calls the tool, records the run. */
import type { Admission } from '../../quota/quota.ts';
import type { Run } from '../../telemetry/run.ts';
import { GatewayError, toGatewayError } from '../../types/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';
import type { McpServerEntry } from '../../types/snapshot.ts';
import { type McpPeer, SourceRefusal, type ToolResult } from '../../types/tool-source.ts';
import { personKey } from '../../types/access.ts';
import { createFairQueue } from '../../scheduling/fair-queue.ts';
import { type Caller, requireRight, toolCapability } from '../caller.ts';
import { createDeadline, pausingDeadline } from '../deadline.ts';
import { endRunWithError } from '../models/recorded-run.ts';
import { requiresApproval } from './tool-approval.ts';
import { openRun } from '../models/invoke-model.ts';
import type { CallServices } from '../services.ts';
import { type FoundTool, isVirtual, toolsOf } from './server-tools.ts';
import { abortSignalOf } from '../../scheduling/cancellation.ts';

export interface ToolCallOptions {
  readonly parent?: Run | null;
  readonly signal?: AbortSignal;
  /** The caller's MCP client, if any. */
  readonly peer?: McpPeer;
  /** True when a person has approved a call that requires approval. */
  readonly approved?: boolean;
}

/** True for a server that uses the caller's own account or token. Another person's right never gives access to it. */
function usesCallersIdentity({ spec }: McpServerEntry): boolean {
  const { credentials } = spec.options;
  return isJsonObject(credentials) && (credentials['type'] === 'user_oauth' || credentials['type'] === 'token_exchange');
}

/** Throws `permission_denied` inside a skill that runs as itself, for a server that uses the account or the token of its caller. */
export function requireOwnCredentials({ acting }: Pick<Caller, 'acting'>, server: McpServerEntry): void {
  if (acting === undefined || !usesCallersIdentity(server)) return;
  throw new GatewayError(
    'permission_denied',
    `The MCP server "${server.name}" works with the account or the token of its caller, so the skill "${acting.skill}", which runs with its own list, may not use it.`,
  );
}

const turns = createFairQueue();

/** Why a tool cannot be called, with a remedy. */
function notCallable(services: CallServices, server: McpServerEntry, tool: string): GatewayError {
  const { allowed_tools: allowed } = server.spec;
  if (allowed !== null && !allowed.includes(tool))
    return new GatewayError('permission_denied', `The tool "${tool}" of ${server.name} is disabled by an administrator.`);
  const pin = isVirtual(server) ? undefined : services.catalogue.items(server).find((each) => each.kind === 'tool' && each.name === tool);
  if (pin !== undefined && pin.present && pin.state !== 'approved')
    return new GatewayError(
      'permission_denied',
      `The tool "${tool}" of ${server.name} is quarantined: its definition has changed and waits for an administrator's approval.`,
    );
  return new GatewayError('not_found', `The MCP server "${server.name}" has no tool named "${tool.slice(0, 200)}".`);
}

/** The tool, if the caller may use it and its definition is approved. Throws `permission_denied` or `not_found`. */
export function requireTool(services: CallServices, caller: Caller, server: McpServerEntry, tool: string): FoundTool {
  requireRight(caller, 'use', toolCapability(server, tool));
  const found = toolsOf(services, caller, server).find((each) => each.name === tool);
  if (found === undefined) throw notCallable(services, server, tool);
  return found;
}

/** By its server's row, and by that of the server that provides it. */
export function isApprovalNeeded({ server, source, definition }: FoundTool): boolean {
  return requiresApproval(server.spec.approval, definition) || requiresApproval(source.spec.approval, definition);
}

/** True when the value exceeds about `most` bytes as JSON. Does not serialize the result. */
export function isLargerThan(value: Json | undefined, most: number): boolean {
  let left = most;
  const walk = (part: Json | undefined): void => {
    // Quotation marks, brackets and commas count too.
    left -= 2;
    if (left < 0) return;
    if (typeof part === 'string') left -= Buffer.byteLength(part);
    else if (Array.isArray(part)) {
      for (const each of part) if (left >= 0) walk(each);
    } else if (typeof part === 'object' && part !== null) {
      for (const [key, each] of Object.entries(part)) {
        left -= Buffer.byteLength(key) + 3;
        if (left >= 0) walk(each);
      }
    } else left -= 2;
  };
  walk(value);
  return left < 0;
}

function tooLarge(server: string, tool: string, most: number): ToolResult {
  const text = `The result of ${server}/${tool} is larger than the ${most} bytes that the administrator allows. Ask for less of it, for example a page or a range.`;
  return { content: [{ type: 'text', text }], isError: true };
}

/**
 * Throws `permission_denied`, `not_found`, `rate_limited`, `upstream_timeout` or `tool_failed`, and SourceRefusal when the server refused
 * the request. A failure of the tool is a result with `isError`.
 */
export async function invokeTool(
  services: CallServices,
  caller: Caller,
  server: McpServerEntry,
  tool: string,
  input: JsonObject,
  options: ToolCallOptions = {},
): Promise<ToolResult> {
  const found = requireTool(services, caller, server, tool);
  const { source, definition } = found;
  if (options.approved !== true && isApprovalNeeded(found))
    throw new GatewayError(
      'permission_denied',
      `The tool ${server.name}/${tool} needs a person's approval, which cannot be requested here.`,
    );
  requireOwnCredentials(caller, source);
  const { call_timeout_ms: limit, concurrency, max_result_bytes: most } = source.spec;
  const run = openRun(services, caller, options.parent ?? null, `mcp/${server.name}/${tool}`, 'tool', false);
  run.asked(input);
  const deadline = createDeadline(limit);
  const signal = AbortSignal.any([options.signal ?? abortSignalOf(caller.signal), deadline.signal]);
  let admission: Admission | null = null;
  try {
    const limited = {
      name: `${server.name}/${tool}`,
      capability: toolCapability(server, tool),
      deployments: [],
      spec: { limits: { total_ms: limit } },
    };
    admission = await services.quota.take(caller.view, caller.principal, limited, () => null);
    if (admission?.refused != null) throw admission.refused;
    const done = await turns.take(source.id, concurrency, { signal, who: personKey(caller.principal) });
    const context = {
      signal,
      principal: caller.principal,
      runId: run.id,
      traceparent: run.traceparent,
      subjectToken: caller.subjectToken,
      ...(options.peer === undefined ? {} : { peer: pausingDeadline(options.peer, deadline) }),
    };
    // Clients that retry failed requests would run the tool again. The result of an approved call is stored and is not run again.
    if (options.parent != null && options.approved !== true) caller.setHeaders({ 'x-should-retry': 'false' });
    run.works();
    // An operator's own source may throw synchronously.
    const result = await Promise.try(() => source.instance.call(definition.name, input, context)).finally(done);
    const answer = isLargerThan(result as unknown as JsonObject, most) ? tooLarge(server.name, tool, most) : result;
    run.answered(answer as unknown as JsonObject);
    if (answer.isError === true) run.end('error', 'tool_failed');
    else run.end('complete');
    return answer;
  } catch (thrown) {
    if (thrown instanceof SourceRefusal && !signal.aborted) {
      run.end('error', 'tool_failed');
      // Without an MCP client the model reads the refusal and can correct its call.
      if (options.peer === undefined) return { content: [{ type: 'text', text: thrown.message }], isError: true };
      throw thrown;
    }
    const error = failure(thrown, signal, server, tool, limit);
    endRunWithError(run, error);
    throw error;
  } finally {
    deadline.end();
    admission?.settle({ usage: null, cost: null, currency: null });
  }
}

function failure(thrown: unknown, signal: AbortSignal, server: McpServerEntry, tool: string, limit: number): GatewayError {
  if (!signal.aborted) return toGatewayError(thrown);
  const reason: unknown = signal.reason;
  if (reason instanceof GatewayError) return reason;
  if (!(reason instanceof DOMException && reason.name === 'TimeoutError'))
    return new GatewayError('client_closed_request', 'The caller has disconnected.', { cause: thrown });
  return new GatewayError('upstream_timeout', `The tool ${server.name}/${tool} did not answer within ${limit} ms.`, { cause: thrown });
}

/** `mcp/<server>/<tool>`: the right is checked, the run opened, the tool called, the run booked. */
import type { Run } from '../../telemetry/run.ts';
import { GatewayError, toGatewayError } from '../../types/errors.ts';
import type { JsonObject } from '../../types/json.ts';
import type { McpServerEntry } from '../../types/snapshot.ts';
import type { ToolDefinition, ToolResult } from '../../types/tool-source.ts';
import { type Caller, may, requireRight, toolCapability } from './caller.ts';
import { endFailed } from './booked.ts';
import { openRun } from './invoke-model.ts';
import type { CallServices } from './services.ts';

/** The known tools of a server that the caller may see, from memory: a dead server delays nothing. */
export function visibleTools(services: CallServices, caller: Caller, server: McpServerEntry): readonly ToolDefinition[] {
  return services.catalogue.tools(server).filter((tool) => may(caller, 'view', toolCapability(server, tool.name)));
}

/** Throws `permission_denied`, `not_found`, `upstream_timeout` or `tool_failed`; a tool's own failure is a result with `isError`. */
export async function invokeTool(
  services: CallServices,
  caller: Caller,
  server: McpServerEntry,
  tool: string,
  input: JsonObject,
  options: { parent?: Run | null; signal?: AbortSignal } = {},
): Promise<ToolResult> {
  requireRight(caller, 'use', toolCapability(server, tool));
  const { allowed_tools: allowed, call_timeout_ms: limit } = server.spec;
  if (allowed !== null && !allowed.includes(tool)) {
    throw new GatewayError('permission_denied', `The tool "${tool}" of ${server.name} is switched off by the administrator.`);
  }
  const run = openRun(services, caller, options.parent ?? null, `mcp/${server.name}/${tool}`, 'tool', false);
  const signal = AbortSignal.any([options.signal ?? caller.signal, AbortSignal.timeout(limit)]);
  try {
    const result = await server.instance.call(tool, input, { signal, principal: caller.principal, runId: run.id });
    if (result.isError === true) run.end('error', 'tool_failed');
    else run.end('complete');
    return result;
  } catch (thrown) {
    const error = failure(thrown, signal, server, tool, limit);
    endFailed(run, error);
    throw error;
  }
}

function failure(thrown: unknown, signal: AbortSignal, server: McpServerEntry, tool: string, limit: number): GatewayError {
  if (!signal.aborted) return toGatewayError(thrown);
  const reason: unknown = signal.reason;
  if (reason instanceof GatewayError) return reason;
  return new GatewayError('upstream_timeout', `The tool ${server.name}/${tool} did not answer within ${limit} ms.`, { cause: thrown });
}

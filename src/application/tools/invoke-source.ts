/** Reads a resource, gets a prompt or completes an argument: checks the right and records a run, as for a tool. */
import type { Capability } from '../../types/access.ts';
import { GatewayError, toGatewayError } from '../../types/errors.ts';
import type { JsonObject } from '../../types/json.ts';
import type { McpServerEntry } from '../../types/snapshot.ts';
import { SourceRefusal, type SourceQuestion } from '../../types/tool-source.ts';
import type { ViewContext } from '../../extensions/mcp/gate/mcp-view.ts';
import { endRunWithError } from '../models/recorded-run.ts';
import { type Caller, requireRight } from '../caller.ts';
import { createDeadline, pausingDeadline } from '../deadline.ts';
import { openRun } from '../models/invoke-model.ts';
import type { CallServices } from '../services.ts';

/** The code for an unknown resource in the older protocol. The newer one has one code for all invalid parameters. */
const oldNotFound = -32_002;
const invalidParams = -32_602;

/** Throws `permission_denied`, `upstream_timeout` or `tool_failed`, and SourceRefusal when the server refused. */
export async function invokeSource(
  services: CallServices,
  caller: Caller,
  server: McpServerEntry,
  capability: Capability,
  question: SourceQuestion,
  params: JsonObject,
  context: ViewContext,
): Promise<JsonObject> {
  // Completing an argument requires only the right to view.
  requireRight(caller, question === 'completion/complete' ? 'view' : 'use', capability);
  if (server.instance.ask === undefined) throw new GatewayError('not_found', `The MCP server "${server.name}" has only tools.`);
  const run = openRun(services, caller, null, `mcp/${capability.name}`.slice(0, 500), 'tool', false);
  const limit = server.spec.call_timeout_ms;
  const deadline = createDeadline(limit);
  const signal = AbortSignal.any([context.signal, deadline.signal]);
  try {
    const peer = pausingDeadline(context.peer, deadline);
    const answer = await server.instance.ask(question, params, {
      signal,
      principal: caller.principal,
      runId: run.id,
      traceparent: run.traceparent,
      subjectToken: caller.subjectToken,
      peer,
    });
    run.end('complete');
    return answer;
  } catch (thrown) {
    if (thrown instanceof SourceRefusal && !signal.aborted) {
      run.end('error', 'tool_failed');
      if (thrown.code !== oldNotFound || context.peer.connection !== null) throw thrown;
      throw new SourceRefusal(thrown.message, invalidParams, { uri: params['uri'] });
    }
    const reason: unknown = signal.aborted ? signal.reason : thrown;
    const isSlow = deadline.signal.aborted;
    const hasLeft = signal.aborted && !isSlow && !(reason instanceof GatewayError);
    const error = hasLeft
      ? new GatewayError('client_closed_request', 'The caller has disconnected.', { cause: thrown })
      : isSlow
        ? new GatewayError('upstream_timeout', `The MCP server "${server.name}" did not answer within ${limit} ms.`, { cause: thrown })
        : toGatewayError(reason);
    endRunWithError(run, error);
    throw error;
  } finally {
    deadline.end();
  }
}

/** POST /api/{providers,models,mcp-servers}/test: tries an unsaved draft through the real call path, with the authorization of saving. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { callerOf } from '../api/request-caller.ts';
import { requireOperation } from '../application/models/invoke-model.ts';
import type { CallServices } from '../application/services.ts';
import { isVirtual, toolsOf } from '../application/tools/server-tools.ts';
import { principalOf, snapshotOf } from '../api/request-context.ts';
import { isAdministrator } from '../auth/decide.ts';
import type { ConfigService } from '../config/service.ts';
import { unreachableIn } from '../outbound/unreachable.ts';
import { GatewayError, toGatewayError } from '../types/errors.ts';
import { mcpServerSpec, modelSpec, providerSpec } from '../types/resources.ts';
import type { McpServerEntry, ModelEntry } from '../types/snapshot.ts';
import type { ServerListing } from '../types/tool-source.ts';
import { operations, type Operation } from '../types/wire-format.ts';
import { tryOperation } from './trial-call.ts';
import { writerOf } from './writer.ts';
import { abortSignalOf } from '../scheduling/cancellation.ts';
import { monotonicNow } from '../scheduling/monotonic-clock.ts';

const providerDraft = z.strictObject({
  spec: providerSpec,
  name: z.string().max(200).optional().describe('An existing provider whose stored secrets "***" stands for.'),
  model: z.string().min(1).max(256).describe("The vendor's own name of a model to try."),
  operation: z.enum(operations).default('chat').describe('What to try it with. Each costs what such a call costs.'),
});
const modelDraft = z.strictObject({
  spec: modelSpec,
  operation: z.enum(operations).optional().describe('What to try it with. Left out: chat, or the first operation of the model.'),
});
const mcpDraft = z.strictObject({
  spec: mcpServerSpec,
  name: z.string().max(200).optional().describe('An existing server whose stored secrets "***" stands for.'),
});

/** A failed test. `detail` is what the vendor said, for administrators. */
export const testError = z.object({
  code: z.string(),
  reason: z
    .string()
    .nullable()
    .describe('Why the address could not be reached, such as `connection_refused`; `not_found` for status 404; null for other failures.'),
  message: z.string(),
  detail: z.string().nullable(),
});

const verdict = z.object({
  ok: z.boolean(),
  operation: z.enum(operations).optional().describe('What was tried; absent for MCP servers.'),
  duration_ms: z.int(),
  answer: z.string().optional().describe('The text, or what came: the length of a vector, the type and size of a picture or sound.'),
  tools: z.array(z.object({ name: z.string(), description: z.string() })).optional(),
  resources: z.int().optional().describe('With templates.'),
  prompts: z.int().optional(),
  instructions: z.string().optional().describe('What the server tells models about its use.'),
  problems: z.array(z.string()).optional().describe('Definitions that are left out, and why.'),
  deployment: z.string().optional(),
  error: testError.optional(),
});

/** The status only: otherwise people could read any address that the gateway reaches. */
function statusIn(details: unknown): string | null {
  const status = typeof details === 'object' && details !== null && 'status' in details ? details.status : null;
  return typeof status === 'number' ? `HTTP ${status}` : null;
}

/** Why an address cannot be reached, and what an administrator can do about it. */
function wordIn(details: unknown, name: 'reason' | 'advice'): string | null {
  const word = typeof details === 'object' && details !== null && name in details ? (details as Record<string, unknown>)[name] : null;
  return typeof word === 'string' ? word : null;
}

/** A 404 is nearly always an address without its version, or a model that the vendor does not have. */
function reasonOf(details: unknown): string | null {
  return statusIn(details) === 'HTTP 404' ? 'not_found' : wordIn(details, 'reason');
}

export interface FailedTest {
  readonly ok: false;
  readonly duration_ms: number;
  readonly error: z.output<typeof testError>;
}

/** The one place that shows a vendor's own error text: to an administrator who sets up that vendor. */
export function failedTest(thrown: unknown, startedAt: number, request: FastifyRequest): FailedTest {
  const error = toGatewayError(thrown);
  if (error.code === 'internal_error' || error.code === 'configuration_invalid') throw error;
  const { details, message } = error;
  if (!isAdministrator(principalOf(request))) {
    const status = statusIn(details);
    const said = status === null ? message : 'The address answered, but not with the requested data.';
    return {
      ok: false,
      duration_ms: monotonicNow() - startedAt,
      error: { code: error.code, reason: status === 'HTTP 404' ? 'not_found' : null, message: said, detail: status },
    };
  }
  const words = (): string | null =>
    details === undefined ? null : (typeof details === 'string' ? details : JSON.stringify(details)).slice(0, 2_000);
  return {
    ok: false,
    duration_ms: monotonicNow() - startedAt,
    error: { code: error.code, reason: reasonOf(details), message: wordIn(details, 'advice') ?? message, detail: words() },
  };
}

/** An MCP server that answers nonsense, or not in time, is the finding of the test and no error of the gateway. */
function ofServer(thrown: unknown, timeoutMs: number): unknown {
  const cause = thrown instanceof GatewayError && thrown.cause !== undefined ? thrown.cause : thrown;
  if (cause instanceof DOMException && cause.name === 'TimeoutError')
    return new GatewayError('upstream_timeout', `The MCP server did not answer within ${timeoutMs} ms.`, { cause });
  const unreached = unreachableIn(cause);
  if (unreached !== null) return new GatewayError('tool_failed', 'The MCP server cannot be reached.', { cause, details: unreached });
  if (thrown instanceof GatewayError && thrown.code !== 'internal_error') return thrown;
  const details = thrown instanceof Error ? thrown.message : String(thrown);
  return new GatewayError('tool_failed', 'The MCP server answers with something that is not MCP.', { cause, details });
}

export function addConnectionTests(app: FastifyInstance, config: ConfigService, calls: CallServices): void {
  const response = { 200: verdict };

  /** The listing of the draft; a virtual server selects from the catalogue and connects to nothing. */
  async function offerOf(request: FastifyRequest, server: McpServerEntry, signal: AbortSignal): Promise<ServerListing> {
    const offer = await server.instance.list(signal);
    if (!isVirtual(server)) return offer;
    const view = snapshotOf(request).tenant(principalOf(request).tenant);
    return { ...offer, tools: toolsOf(calls, { view }, server).map(({ name, definition }) => ({ ...definition, name })) };
  }

  async function tryModel(request: FastifyRequest, reply: Parameters<typeof callerOf>[1], model: ModelEntry, given?: Operation) {
    const startedAt = monotonicNow();
    const { operations: known } = model.spec;
    const operation = given ?? (known.includes('chat') ? 'chat' : known[0]) ?? 'chat';
    requireOperation(model, operation);
    try {
      const answered = await tryOperation(calls, callerOf(request, reply), model, operation);
      return { ok: true, operation, duration_ms: monotonicNow() - startedAt, ...answered };
    } catch (thrown) {
      return { operation, ...failedTest(thrown, startedAt, request) };
    }
  }

  app.post<{ Body: z.output<typeof providerDraft> }>(
    '/api/providers/test',
    {
      config: { access: ['llm:model:manage'], writes: ['provider'] },
      schema: { tags: ['providers'], summary: 'Try a provider before saving it', body: providerDraft, response },
    },
    async (request, reply) => {
      const { spec, name, model, operation } = request.body;
      await using draft = await config.draftProvider(writerOf(request), {
        tenant: principalOf(request).tenant,
        spec,
        name,
        model,
        operation,
      });
      return await tryModel(request, reply, draft.model, operation);
    },
  );

  app.post<{ Body: z.output<typeof modelDraft> }>(
    '/api/models/test',
    {
      config: { access: ['llm:model:manage'], writes: ['model'] },
      schema: { tags: ['models'], summary: 'Try a model before saving it', body: modelDraft, response },
    },
    async (request, reply) => {
      await using draft = await config.draftModel(writerOf(request), { tenant: principalOf(request).tenant, spec: request.body.spec });
      return await tryModel(request, reply, draft.model, request.body.operation);
    },
  );

  app.post<{ Body: z.output<typeof mcpDraft> }>(
    '/api/mcp-servers/test',
    {
      config: { access: ['llm:mcp:manage'], writes: ['mcp'] },
      schema: { tags: ['mcp-servers'], summary: 'Try an MCP server before saving it', body: mcpDraft, response },
    },
    async (request, reply) => {
      const { spec, name } = request.body;
      const startedAt = monotonicNow();
      await using draft = await config.draftMcpServer(writerOf(request), { tenant: principalOf(request).tenant, spec, name });
      try {
        const signal = AbortSignal.any([abortSignalOf(callerOf(request, reply).signal), AbortSignal.timeout(spec.call_timeout_ms)]);
        const { tools, resources, templates, prompts, instructions, problems = [] } = await offerOf(request, draft.server, signal);
        return {
          ok: true,
          duration_ms: monotonicNow() - startedAt,
          tools: tools.map((tool) => ({ name: tool.name, description: tool.description ?? '' })),
          resources: resources.length + templates.length,
          prompts: prompts.length,
          problems: [...problems],
          ...(instructions === undefined ? {} : { instructions }),
        };
      } catch (thrown) {
        return failedTest(ofServer(thrown, spec.call_timeout_ms), startedAt, request);
      }
    },
  );
}

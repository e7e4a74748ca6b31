/** POST /api/{providers,models,mcp-servers}/test: tries an unsaved draft through the real call path, under the same rules as saving. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { callerOf } from '../api/request-caller.ts';
import { invokeModel } from '../application/models/invoke-model.ts';
import type { CallServices } from '../application/services.ts';
import { isVirtual, toolsOf } from '../application/tools/server-tools.ts';
import { principalOf, snapshotOf } from '../api/request-context.ts';
import { decide } from '../auth/decide.ts';
import type { ConfigService } from '../config/service.ts';
import { collectText } from '../streaming/text-events.ts';
import type { ChatBody } from '../types/chat.ts';
import { GatewayError, toGatewayError } from '../types/errors.ts';
import { type ConfigRow, mcpServerSpec, modelSpec, providerSpec } from '../types/resources.ts';
import type { McpServerEntry, ModelEntry } from '../types/snapshot.ts';
import type { Offer } from '../types/tool-source.ts';
import { capabilityOf, type Collection, collections } from './collections.ts';
import { requireKindRight } from './resources.ts';

const providerDraft = z.strictObject({
  spec: providerSpec,
  name: z.string().max(200).optional().describe('An existing provider whose stored secrets "***" stands for.'),
  model: z.string().min(1).max(256).describe("The vendor's own name of a model to try."),
});
const modelDraft = z.strictObject({ spec: modelSpec });
const mcpDraft = z.strictObject({
  spec: mcpServerSpec,
  name: z.string().max(200).optional().describe('An existing server whose stored secrets "***" stands for.'),
});

const verdict = z.object({
  ok: z.boolean(),
  duration_ms: z.int(),
  answer: z.string().optional(),
  tools: z.array(z.object({ name: z.string(), description: z.string() })).optional(),
  resources: z.int().optional().describe('With templates.'),
  prompts: z.int().optional(),
  deployment: z.string().optional(),
  error: z.object({ code: z.string(), message: z.string(), detail: z.string().nullable() }).optional(),
});

/** The one place where a vendor's words are shown: to somebody who is setting up that vendor. */
function failed(thrown: unknown, startedAt: number): z.output<typeof verdict> {
  const error = toGatewayError(thrown);
  if (error.code === 'internal_error' || error.code === 'configuration_invalid') throw error;
  const detail =
    error.details === undefined ? null : (typeof error.details === 'string' ? error.details : JSON.stringify(error.details)).slice(0, 2000);
  return { ok: false, duration_ms: Date.now() - startedAt, error: { code: error.code, message: error.message, detail } };
}

const question: Omit<ChatBody, 'model'> = { messages: [{ role: 'user', content: 'Answer with the single word: ready' }], max_tokens: 64 };

export function addConnectionTests(app: FastifyInstance, config: ConfigService, calls: CallServices): void {
  const response = { 200: verdict };

  /** What the draft offers; a virtual server asks nobody, it selects from what is known of others. */
  async function offerOf(request: FastifyRequest, server: McpServerEntry, signal: AbortSignal): Promise<Offer> {
    const offer = await server.instance.list(signal);
    if (!isVirtual(server)) return offer;
    const view = snapshotOf(request).tenant(principalOf(request).tenant);
    return { ...offer, tools: toolsOf(calls, { view }, server).map(({ name, definition }) => ({ ...definition, name })) };
  }

  async function tryModel(request: FastifyRequest, reply: Parameters<typeof callerOf>[1], model: ModelEntry) {
    const startedAt = Date.now();
    try {
      const call = await invokeModel(
        calls,
        callerOf(request, reply),
        model,
        { body: { ...question, model: model.name } as ChatBody },
        { stream: false },
      );
      const { text } = await collectText(call.events);
      return { ok: true, duration_ms: Date.now() - startedAt, answer: text.slice(0, 500), deployment: call.deployment };
    } catch (thrown) {
      return failed(thrown, startedAt);
    }
  }

  app.post<{ Body: z.output<typeof providerDraft> }>(
    '/api/providers/test',
    {
      config: { access: ['llm:model:manage'] },
      schema: { tags: ['providers'], summary: 'Try a provider before saving it', body: providerDraft, response },
    },
    async (request, reply) => {
      const { spec, name, model } = request.body;
      requireRightToSave(request, config, 'provider', spec, name);
      await using draft = await config.draftProvider({ tenant: principalOf(request).tenant, spec, name, model });
      return await tryModel(request, reply, draft.model);
    },
  );

  app.post<{ Body: z.output<typeof modelDraft> }>(
    '/api/models/test',
    {
      config: { access: ['llm:model:manage'] },
      schema: { tags: ['models'], summary: 'Try a model before saving it', body: modelDraft, response },
    },
    async (request, reply) => {
      requireRightToSave(request, config, 'model', request.body.spec);
      await using draft = await config.draftModel({ tenant: principalOf(request).tenant, spec: request.body.spec });
      return await tryModel(request, reply, draft.model);
    },
  );

  app.post<{ Body: z.output<typeof mcpDraft> }>(
    '/api/mcp-servers/test',
    {
      config: { access: ['llm:mcp:manage'] },
      schema: { tags: ['mcp-servers'], summary: 'Try an MCP server before saving it', body: mcpDraft, response },
    },
    async (request, reply) => {
      const { spec, name } = request.body;
      requireRightToSave(request, config, 'mcp', spec, name);
      const startedAt = Date.now();
      await using draft = await config.draftMcpServer({ tenant: principalOf(request).tenant, spec, name });
      try {
        const signal = AbortSignal.any([callerOf(request, reply).signal, AbortSignal.timeout(spec.call_timeout_ms)]);
        const { tools, resources, templates, prompts } = await offerOf(request, draft.server, signal);
        return {
          ok: true,
          duration_ms: Date.now() - startedAt,
          tools: tools.map((tool) => ({ name: tool.name, description: tool.description ?? '' })),
          resources: resources.length + templates.length,
          prompts: prompts.length,
        };
      } catch (thrown) {
        return failed(thrown, startedAt);
      }
    },
  );
}

/**
 * Whoever may not save a draft may not try it either: a trial sends requests, starts programs and uses secrets. With `name` it stands for
 * a change of that row, whose stored secrets it may carry to another address.
 */
function requireRightToSave(
  request: FastifyRequest,
  config: ConfigService,
  kind: 'provider' | 'model' | 'mcp',
  spec: ConfigRow['spec'],
  name?: string,
): void {
  const principal = principalOf(request);
  const collection = collections.find((each) => each.kind === kind) as Collection;
  const stored = name === undefined ? null : config.row(principal.tenant, kind, name);
  if (stored === undefined) throw new GatewayError('not_found', `There is no ${kind} named "${name}".`, { param: 'name' });
  const row = stored ?? { name: 'draft', tenant: principal.tenant, owner: principal.subject, spec };
  const { grants } = snapshotOf(request).tenant(principal.tenant);
  const decision = decide(principal, 'manage', capabilityOf(collection, row), grants, Date.now());
  if (!decision.allowed) {
    throw stored === null
      ? new GatewayError('permission_denied', `You may not try a ${collection.title}: ${decision.reason}`)
      : new GatewayError('permission_denied', `You may not use the stored secrets of "${name}": ${decision.reason}`, { param: 'name' });
  }
  requireKindRight(principal, kind, row.spec);
  requireKindRight(principal, kind, spec);
}

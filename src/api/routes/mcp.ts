/** /mcp and /mcp/{server}: the team's MCP servers at one address, with the caller's rights. */
import { isIP } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { McpGate } from '../../extensions/mcp/gate/gate.ts';
import type { McpView } from '../../extensions/mcp/gate/mcp-view.ts';
import { GatewayError } from '../../types/errors.ts';
import { personRef } from '../../types/person.ts';
import { requireServer } from '../../application/caller.ts';
import { callerOf } from '../request-caller.ts';
import { openMcpView } from '../../application/mcp/mcp-view.ts';
import type { CallServices } from '../../application/services.ts';
import { closeStalledClient } from '../stalled-client.ts';

/** Refuses foreign origins and hosts, also after DNS rebinding (MCP transports, security considerations). Accepted are the public name, local names and IP addresses. */
function refuseForeignOrigin(request: FastifyRequest): void {
  const { origin, host } = request.headers;
  if (origin === undefined || request.server.corsOrigins.allows(origin)) return;
  if (URL.canParse(origin)) {
    const from = new URL(origin);
    const isOurs = from.hostname === new URL(request.server.publicUrl).hostname || from.hostname === 'localhost';
    const isAddress = isIP(from.hostname.replace(/^\[|\]$/g, '')) !== 0;
    if (from.host === host && (isOurs || isAddress)) return;
  }
  throw new GatewayError('permission_denied', 'Requests from web pages of other origins are not accepted here.', { param: 'Origin' });
}

const query = z.object({
  tools: z
    .enum(['list', 'search'])
    .optional()
    .describe('search: two tools, one that finds others and one that calls them, instead of all definitions.'),
});

type Asked = FastifyRequest<{ Querystring: z.output<typeof query> }>;

export function addMcp(app: FastifyInstance, services: CallServices, gate: McpGate): void {
  const handle = async (request: Asked, reply: FastifyReply): Promise<FastifyReply> => {
    refuseForeignOrigin(request);
    const caller = callerOf(request, reply);
    const { server: name } = request.params as { readonly server?: string };
    const server = name === undefined ? null : requireServer(caller, name);
    const shown = openMcpView(services, caller, server, server === null ? '/mcp' : `/mcp/${server.name}`, request.query.tools === 'search');
    let isNoted = false;
    const view: McpView = {
      ...shown,
      refused(error) {
        if (isNoted) return;
        isNoted = true;
        request.server.noteRefusal(request, reply, error);
      },
    };
    for (const [header, value] of Object.entries(reply.getHeaders())) if (value !== undefined) reply.raw.setHeader(header, value);
    reply.hijack();
    request.server.activeRequests.watch(request, reply);
    closeStalledClient(reply.raw, request.server.unreadMs);
    await gate.serve(request.raw, reply.raw, request.body ?? undefined, view, caller.principal.client ?? personRef(caller.principal));
    return reply;
  };

  const config = { access: ['llm:mcp:view', 'llm:mcp:use'] as const };
  const method = ['GET', 'POST', 'DELETE'];
  app.route<{ Querystring: z.output<typeof query> }>({
    method,
    url: '/mcp',
    config,
    schema: { querystring: query, tags: ['mcp'], summary: 'All tools that you may use, as one MCP server' },
    handler: handle,
  });
  app.route<{ Querystring: z.output<typeof query> }>({
    method,
    url: '/mcp/:server',
    config,
    schema: { querystring: query, tags: ['mcp'], summary: 'The tools of one server' },
    handler: handle,
  });
}

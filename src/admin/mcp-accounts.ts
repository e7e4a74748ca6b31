/** /api/mcp-servers/{name}/account: the caller's own account at an MCP server, connected in a browser. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { may, requireRight, toolCapability } from '../application/caller.ts';
import type { CallServices } from '../application/services.ts';
import { principalOf } from '../api/request-context.ts';
import { storedText } from '../api/bodies/stored-text.ts';
import type { ConfigService } from '../config/service.ts';
import type { AuditLog } from '../storage/audit.ts';
import type { PersonalAccounts } from '../types/accounts.ts';
import { GatewayError } from '../types/errors.ts';
import { personRef } from '../types/person.ts';
import type { McpServerEntry } from '../types/snapshot.ts';
import { askerOf, serverOf } from './mcp-items.ts';

const named = z.object({ name: z.string().min(1).max(200) });
const accountView = z.object({
  connected: z.boolean(),
  expires_at: z
    .string()
    .nullable()
    .describe('When the current token expires; null when unknown. Pailou renews it where the service allows.'),
  scope: z.string().nullable(),
});
const beginView = z.object({
  authorization_url: z.string().describe('Open it in the browser in which you are signed in to Pailou, within ten minutes.'),
});
/** OAuth2 services add members of their own. */
const answerQuery = z.looseObject({
  state: storedText(500),
  code: storedText(4_000).optional(),
  iss: storedText(2_000).optional(),
  error: storedText(500).optional(),
});

const page = (server: string): string =>
  `<!doctype html><meta charset="utf-8"><title>Pailou</title><p>Your account at the MCP server <b>${server}</b> is connected. You may close this page.</p>\n`;
const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

export function addMcpAccounts(app: FastifyInstance, config: ConfigService, { catalogue }: CallServices, audit: AuditLog): void {
  const tags = ['mcp-servers'];
  const own = { access: ['llm:mcp:use'] as const, decides: true, writes: 'none' as const };

  /** The server, when the caller may use any part of it and it needs personal accounts. */
  const found = (request: FastifyRequest<{ Params: z.output<typeof named> }>): { server: McpServerEntry; accounts: PersonalAccounts } => {
    const server = serverOf(request, config, request.params.name);
    const asker = askerOf(request);
    if (!catalogue.tools(server).some(({ name }) => may(asker, 'use', toolCapability(server, name))))
      requireRight(asker, 'use', server.capability);
    const { accounts } = server.instance;
    if (accounts !== undefined) return { server, accounts };
    throw new GatewayError(
      'invalid_request',
      `The MCP server "${server.name}" does not use accounts of its callers: its row sets the credentials.`,
    );
  };
  const redirectOf = (server: McpServerEntry): string =>
    `${app.publicUrl}/api/mcp-servers/${encodeURIComponent(server.name)}/account/callback`;
  const book = (request: FastifyRequest, server: McpServerEntry, act: string): void => {
    const principal = principalOf(request);
    const { tenant } = principal;
    audit.append({
      tenant,
      actor: personRef(principal),
      act,
      target: `mcp/${server.name}`,
      requestId: request.id,
      detail: 'their own account',
    });
  };

  app.get<{ Params: z.output<typeof named> }>(
    '/api/mcp-servers/:name/account',
    { config: own, schema: { tags, summary: 'Your account at an MCP server', params: named, response: { 200: accountView } } },
    async (request) => {
      const { connected, expiresAt, scope } = await found(request).accounts.status(principalOf(request));
      return { connected, expires_at: expiresAt === null ? null : new Date(expiresAt).toISOString(), scope };
    },
  );

  app.post<{ Params: z.output<typeof named> }>(
    '/api/mcp-servers/:name/account',
    { config: own, schema: { tags, summary: 'Start connecting your account', params: named, response: { 200: beginView } } },
    async (request, reply) => {
      const { server, accounts } = found(request);
      const url = await accounts.begin(principalOf(request), redirectOf(server));
      reply.header('cache-control', 'no-store');
      return { authorization_url: url.href };
    },
  );

  app.get<{ Params: z.output<typeof named>; Querystring: z.output<typeof answerQuery> }>(
    '/api/mcp-servers/:name/account/callback',
    {
      config: own,
      schema: { tags, summary: "Callback of the server's OAuth2 service", params: named, querystring: answerQuery },
    },
    async (request, reply) => {
      const { server, accounts } = found(request);
      const { state, code, iss, error } = request.query;
      if (code === undefined)
        throw new GatewayError(
          'sign_in_failed',
          `The OAuth2 service of "${server.name}" refused the sign-in${error === undefined ? '' : ` (${error.replace(/[^\w.-]/g, '').slice(0, 100)})`}. Start the sign-in again.`,
        );
      await accounts.finish(principalOf(request), { redirectUri: redirectOf(server), state, code, iss: iss ?? null });
      book(request, server, 'connect');
      return reply
        .header('cache-control', 'no-store')
        .header('content-security-policy', "default-src 'none'")
        .header('referrer-policy', 'no-referrer')
        .type('text/html; charset=utf-8')
        .send(page(escaped(server.name)));
    },
  );

  app.delete<{ Params: z.output<typeof named> }>(
    '/api/mcp-servers/:name/account',
    { config: own, schema: { tags, summary: 'Disconnect your account; its tokens are deleted here', params: named } },
    async (request, reply) => {
      const { server, accounts } = found(request);
      await accounts.forget(principalOf(request));
      book(request, server, 'disconnect');
      return reply.code(204).send();
    },
  );
}

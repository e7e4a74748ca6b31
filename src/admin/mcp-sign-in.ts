/** /oauth: sign-in of MCP clients that the company's OAuth2 service does not know. Off by default. The tokens are keys for /mcp alone. */
import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { hasBody } from '../api/bodies/body-admission.ts';
import { readBody } from '../api/bodies/read-body.ts';
import { principalOf, snapshotOf } from '../api/request-context.ts';
import { makeKey } from '../auth/api-key-format.ts';
import type { Credentials } from '../auth/credentials.ts';
import type { Asked, McpAuthorization } from '../auth/mcp-sign-in/authorization.ts';
import type { McpClients } from '../auth/mcp-sign-in/clients.ts';
import { OauthError } from '../auth/mcp-sign-in/oauth-error.ts';
import type { BrowserAuth } from '../auth/sign-in/browser-auth.ts';
import type { ConfigService } from '../config/service.ts';
import { GatewayError } from '../types/errors.ts';
import { personRef } from '../types/person.ts';
import { keyPermissions, type KeySpec } from '../types/resources.ts';
import { consentPage, errorPage, sendPage } from './mcp-consent-page.ts';
import { writerOf } from './writer.ts';

export interface McpSignIn {
  readonly clients: McpClients;
  readonly authorization: McpAuthorization;
  readonly browser: BrowserAuth;
}

const tokenDays = 30;
const mostFormBytes = 20_000;
const tags = ['access'];
const open = { access: 'public', writes: 'none' } as const;
const noStore = { 'cache-control': 'no-store', pragma: 'no-cache' };

const sessionKey = (cookie: string): string => createHash('sha256').update('mcp consent').update(cookie).digest('base64url');

function answerError(reply: FastifyReply, thrown: unknown): FastifyReply {
  if (!(thrown instanceof OauthError)) throw thrown;
  return reply
    .code(thrown.code === 'invalid_client' ? 401 : 400)
    .headers(noStore)
    .send({ error: thrown.code, error_description: thrown.message });
}

/** The redirect address with the answer. `iss` protects clients that use several services (RFC 9207). */
function answerAddress(redirectUri: string, answer: Readonly<Record<string, string | null>>, issuer: string): string {
  const url = new URL(redirectUri);
  for (const [name, value] of Object.entries({ ...answer, iss: issuer })) if (value !== null) url.searchParams.set(name, value);
  return url.href;
}

/** The metadata of Pailou as an authorization server (RFC 8414). */
function metadata(publicUrl: string): object {
  return {
    issuer: publicUrl,
    authorization_endpoint: `${publicUrl}/oauth/authorize`,
    token_endpoint: `${publicUrl}/oauth/token`,
    registration_endpoint: `${publicUrl}/oauth/register`,
    revocation_endpoint: `${publicUrl}/oauth/revoke`,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['authorization_code'],
    token_endpoint_auth_methods_supported: ['none'],
    revocation_endpoint_auth_methods_supported: ['none'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: true,
    scopes_supported: ['mcp'],
  };
}

export function addMcpSignIn(app: FastifyInstance, config: ConfigService, credentials: Credentials, parts: McpSignIn): void {
  const { clients, authorization, browser } = parts;
  const { publicUrl, pathPrefix } = app;

  app.addContentTypeParser('application/x-www-form-urlencoded', (request, payload, done) => {
    if (!hasBody(request)) return done(null, {});
    readBody(request, payload, mostFormBytes, (error, bytes) => {
      if (bytes === undefined) done(error);
      else done(null, Object.fromEntries(new URLSearchParams(bytes.toString('utf8'))));
    });
  });

  /** The signed-in person of the browser. Null without a session. Forms cannot send the header that other writes need; the ticket replaces it. */
  const signedIn = async (request: FastifyRequest): Promise<{ readonly cookie: string } | null> => {
    const cookie = browser.jar.read(request.headers, browser.jar.session);
    if (cookie === null) return null;
    try {
      const principal = await browser.sessions.authenticate(cookie);
      credentials.requireUnblocked(principal);
      request.principal = principal;
      return { cookie };
    } catch (thrown) {
      if (thrown instanceof GatewayError && thrown.status === 401) return null;
      throw thrown;
    }
  };

  app.get(
    '/.well-known/oauth-authorization-server',
    { config: open, schema: { tags, summary: 'Where MCP clients sign people in (RFC 8414)' } },
    async () => metadata(publicUrl),
  );

  app.post('/oauth/register', { config: open, schema: { tags, summary: 'Register an MCP client (RFC 7591)' } }, async (request, reply) => {
    try {
      const { id, name, redirectUris } = clients.register(request.body);
      return await reply
        .code(201)
        .headers(noStore)
        .send({
          client_id: id,
          client_id_issued_at: Math.floor(Date.now() / 1_000),
          ...(name === '' ? {} : { client_name: name }),
          redirect_uris: redirectUris,
          grant_types: ['authorization_code'],
          response_types: ['code'],
          token_endpoint_auth_method: 'none',
        });
    } catch (thrown) {
      return answerError(reply, thrown);
    }
  });

  app.get<{ Querystring: Record<string, string> }>(
    '/oauth/authorize',
    { config: open, schema: { tags, summary: 'Ask the person whether an MCP client may act for them' } },
    async (request, reply) => {
      const session = await signedIn(request);
      if (session === null) {
        const returnTo = encodeURIComponent(request.url);
        return reply.header('cache-control', 'no-store').redirect(`${pathPrefix}/auth/login?return_to=${returnTo}`, 303);
      }
      let back: { readonly redirectUri: string; readonly state: string | null } | null = null;
      try {
        const client = await clients.find(String(request.query['client_id'] ?? ''));
        back = authorization.redirectOf(request.query, client);
        const asked = authorization.read(request.query, client);
        const page = consentPage({
          client,
          redirectUri: asked.redirectUri,
          person: principalOf(request).username,
          days: tokenDays,
          ticket: authorization.ticket(asked, sessionKey(session.cookie)),
          action: `${pathPrefix}/oauth/authorize`,
        });
        return await sendPage(reply, page);
      } catch (thrown) {
        if (!(thrown instanceof OauthError)) throw thrown;
        if (back === null) return sendPage(reply, errorPage(thrown.message), 400);
        const answer = { error: thrown.code, error_description: thrown.message, state: back.state };
        return reply.redirect(answerAddress(back.redirectUri, answer, publicUrl), 303);
      }
    },
  );

  const grantToken = async (request: FastifyRequest, asked: Asked, name: string): Promise<string> => {
    const { issuer, subject, permissions: own, tenant } = principalOf(request);
    const permissions = keyPermissions.filter((code) => own.has(code));
    if (permissions.length === 0) throw new OauthError('access_denied', 'You have no permission that a client could use.');
    const { id, text, hash } = makeKey();
    const expiresAt = Date.now() + tokenDays * 86_400_000;
    const spec: KeySpec = {
      title: `MCP client: ${name === '' ? 'without a name' : name}`.slice(0, 128),
      issuer,
      subject,
      hash,
      permissions,
      capabilities: null,
      addresses: null,
      expires_at: new Date(expiresAt).toISOString(),
      replaced_by: null,
      surface: 'mcp',
    };
    const mutation = { kind: 'key' as const, tenant, name: id, operation: 'create' as const, spec, enabled: true, owner: personRef(spec) };
    await config.change(writerOf(request), [mutation], `let an MCP client in by key ${id}`);
    return authorization.code(asked, text, expiresAt);
  };

  app.post<{ Body: { readonly ticket?: string; readonly decision?: string } | null }>(
    '/oauth/authorize',
    { config: { access: 'public', writes: ['key'] }, schema: { tags, summary: "The person's decision" } },
    async (request, reply) => {
      try {
        const session = await signedIn(request);
        if (session === null) throw new OauthError('invalid_request', 'Your session has ended. Start again in your MCP client.');
        const asked = authorization.openTicket(String(request.body?.ticket ?? ''), sessionKey(session.cookie));
        const { name } = await clients.find(asked.clientId);
        const answer =
          request.body?.decision === 'allow'
            ? { code: await grantToken(request, asked, name), state: asked.state }
            : { error: 'access_denied', state: asked.state };
        return await reply.header('cache-control', 'no-store').redirect(answerAddress(asked.redirectUri, answer, publicUrl), 303);
      } catch (thrown) {
        if (!(thrown instanceof OauthError)) throw thrown;
        return sendPage(reply, errorPage(thrown.message), 400);
      }
    },
  );

  app.post(
    '/oauth/token',
    { config: open, schema: { tags, summary: 'Redeem the code of an MCP client (RFC 6749 4.1.3)' } },
    async (request, reply) => {
      try {
        const { token, expiresAt } = authorization.redeem(request.body);
        const seconds = Math.floor((expiresAt - Date.now()) / 1_000);
        return await reply.headers(noStore).send({ access_token: token, token_type: 'Bearer', expires_in: seconds, scope: 'mcp' });
      } catch (thrown) {
        return answerError(reply, thrown);
      }
    },
  );

  const revocation = z.looseObject({ token: z.string().min(1).max(10_000) });
  app.post(
    '/oauth/revoke',
    { config: { access: 'public', writes: ['key'] }, schema: { tags, summary: 'End a token of an MCP client (RFC 7009)' } },
    async (request, reply) => {
      const read = revocation.safeParse(request.body);
      if (!read.success) return answerError(reply, new OauthError('invalid_request', 'token: is missing.'));
      const { method, socket } = request;
      const arrival = { snapshot: snapshotOf(request), address: socket.remoteAddress ?? '', method };
      try {
        const principal = await credentials.admit({ authorization: `Bearer ${read.data.token}` }, arrival);
        if (principal.surface === 'mcp' && principal.key !== undefined) {
          request.principal = principal;
          const mutation = { kind: 'key' as const, tenant: principal.tenant, name: principal.key, operation: 'delete' as const };
          await config.change(writerOf(request), [mutation], `revoke key ${principal.key}`);
        }
      } catch (thrown) {
        // RFC 7009 2.2: a token that is not valid needs no revocation.
        if (!(thrown instanceof GatewayError) || thrown.status >= 500) throw thrown;
      }
      return reply.headers(noStore).send({});
    },
  );
}

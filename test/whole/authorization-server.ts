/** An OAuth2 service for MCP servers: metadata, registration, PKCE, single-use refresh tokens, and an MCP server behind it. */
import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, Server } from '@modelcontextprotocol/server';

export interface AuthorizationServer extends AsyncDisposable {
  /** The MCP server. */
  readonly mcp: string;
  /** Headers of each request to the MCP server, as text. */
  readonly arrived: string[];
  /** Forms of each request to the token endpoint. */
  readonly asked: URLSearchParams[];
  readonly registered: object[];
  /** The people whose tokens were renewed. */
  readonly renewed: string[];
  /** The person of the next sign-in at the authorization endpoint. */
  person: string;
  lifeSeconds: number;
  /** Invalidates all access tokens. */
  expireAll(): void;
  /** Invalidates all refresh tokens. */
  revokeAll(): void;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of request) text += String(part);
  return text;
}

export async function startAuthorizationServer(): Promise<AuthorizationServer> {
  const codes = new Map<string, { person: string; challenge: string; client: string; redirect: string }>();
  const access = new Map<string, { person: string; until: number }>();
  const refresh = new Map<string, { person: string; used: boolean }>();
  const result = {
    arrived: [] as string[],
    asked: [] as URLSearchParams[],
    registered: [] as object[],
    renewed: [] as string[],
    person: 'ann',
    lifeSeconds: 3_600,
  };
  const handler = createMcpHandler(() => {
    const server = new Server({ name: 'personal', version: '1.0.0' }, { capabilities: { tools: {} } });
    server.setRequestHandler('tools/list', () => ({
      tools: ['whoami', 'blab'].map((name) => ({ name, inputSchema: { type: 'object' as const } })),
    }));
    server.setRequestHandler('tools/call', ({ params }, context) => {
      const token = context.http?.authInfo?.token ?? '';
      if (params.name === 'blab') throw new Error(`your token is ${token}`);
      return { content: [{ type: 'text', text: `you are ${access.get(token)?.person}` }] };
    });
    return server;
  });
  const serve = toNodeHandler(handler);
  const issue = (person: string): object => {
    const [token, again] = [`access-${randomUUID()}`, `refresh-${randomUUID()}`];
    access.set(token, { person, until: Date.now() + result.lifeSeconds * 1_000 });
    refresh.set(again, { person, used: false });
    return { access_token: token, token_type: 'Bearer', expires_in: result.lifeSeconds, refresh_token: again, scope: 'tools' };
  };
  const token = (form: URLSearchParams): object => {
    if (form.get('grant_type') === 'refresh_token') {
      const kept = refresh.get(form.get('refresh_token') ?? '');
      if (kept === undefined || kept.used) return { error: 'invalid_grant' };
      kept.used = true;
      result.renewed.push(kept.person);
      return issue(kept.person);
    }
    const code = codes.get(form.get('code') ?? '');
    codes.delete(form.get('code') ?? '');
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (code === undefined || code.challenge !== challenge || code.redirect !== form.get('redirect_uri')) return { error: 'invalid_grant' };
    return issue(code.person);
  };
  let origin = '';
  const http = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      const url = new URL(request.url ?? '/', origin);
      const text = await bodyOf(request);
      const json = (value: object, status = 200): void => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
      };
      if (url.pathname.startsWith('/.well-known/oauth-protected-resource'))
        return json({ resource: `${origin}/mcp`, authorization_servers: [origin] });
      if (url.pathname === '/.well-known/oauth-authorization-server')
        return json({
          issuer: origin,
          authorization_endpoint: `${origin}/authorize`,
          token_endpoint: `${origin}/token`,
          registration_endpoint: `${origin}/register`,
          response_types_supported: ['code'],
          code_challenge_methods_supported: ['S256'],
          token_endpoint_auth_methods_supported: ['none'],
          authorization_response_iss_parameter_supported: true,
        });
      if (url.pathname === '/register') {
        const metadata = JSON.parse(text) as object;
        result.registered.push(metadata);
        return json({ ...metadata, client_id: `client-${result.registered.length}` }, 201);
      }
      if (url.pathname === '/authorize') {
        const code = randomUUID();
        const of = (name: string): string => url.searchParams.get(name) ?? '';
        codes.set(code, { person: result.person, challenge: of('code_challenge'), client: of('client_id'), redirect: of('redirect_uri') });
        const back = new URL(of('redirect_uri'));
        for (const [name, value] of Object.entries({ code, state: of('state'), iss: origin })) back.searchParams.set(name, value);
        response.writeHead(302, { location: back.href }).end();
        return;
      }
      if (url.pathname === '/token') {
        const form = new URLSearchParams(text);
        result.asked.push(form);
        const given = token(form);
        return json(given, 'error' in given ? 400 : 200);
      }
      if (url.pathname !== '/mcp') return json({ error: 'not_found' }, 404);
      result.arrived.push(JSON.stringify(request.headers));
      const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
      if ((access.get(bearer)?.until ?? 0) < Date.now()) {
        const where = `Bearer resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp"`;
        response.writeHead(401, { 'www-authenticate': where }).end();
        return;
      }
      const named = Object.assign(request, { auth: { token: bearer, clientId: 'x', scopes: [] } });
      await serve(named as never, response, text === '' ? undefined : JSON.parse(text));
    };
    answer().catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  return Object.assign(result, {
    mcp: `${origin}/mcp`,
    expireAll: () => access.clear(),
    revokeAll() {
      access.clear();
      refresh.clear();
    },
    async [Symbol.asyncDispose]() {
      await handler.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  });
}

/** Credentials that never leak: the caller's to servers, servers' to callers; and the origins that /mcp accepts. */
import { createServer, type IncomingHttpHeaders, request as rawRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, Server } from '@modelcontextprotocol/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from './gateway.ts';

const secret = 'canary-of-the-upstream-4711';
const seen: { headers: IncomingHttpHeaders; body: string }[] = [];
let gateway: TestGateway;
let url: string;
const owned = new AsyncDisposableStack();

async function toolsOf(name: string): Promise<number> {
  return (await gateway.as('admin', 'POST', `/api/mcp-servers/${name}/sync`)).json.tools as number;
}

beforeAll(async () => {
  const handler = createMcpHandler(() => {
    const server = new Server({ name: 'recording', version: '1.0.0' }, { capabilities: { tools: {} } });
    const inputSchema = { type: 'object' as const };
    server.setRequestHandler('tools/list', () => ({ tools: ['say', 'echo', 'fail'].map((name) => ({ name, inputSchema })) }));
    server.setRequestHandler('tools/call', ({ params: { name } }) => {
      // A careless server repeats its credentials.
      const words = `bad credentials: Bearer ${secret}`;
      if (name === 'say') throw new Error(words);
      return {
        content: [{ type: 'text' as const, text: words }],
        structuredContent: { headers: [{ authorization: `Bearer ${secret}`, kept: 'as it is', count: 3 }] },
        isError: name === 'fail',
      };
    });
    return server;
  });
  const serve = toNodeHandler(handler);
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => (body += part));
    request.on('end', () => {
      seen.push({ headers: request.headers, body });
      serve(request as never, response, body === '' ? undefined : JSON.parse(body)).catch(() => response.destroy());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  owned.defer(async () => {
    await handler.close();
    server.closeAllConnections();
    server.close();
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
  gateway = owned.use(await startGateway());
  for (const [name, options] of Object.entries({ shared: {}, own: { sessions: 'user' }, stateless: { protocol: 'modern' } })) {
    const spec = { kind: 'http', options: { url, headers: { authorization: `Bearer ${secret}` }, ...options } };
    const made = await gateway.as('admin', 'POST', '/api/mcp-servers', { name, spec });
    expect(made.status, made.text).toBe(201);
    expect(made.text).not.toContain(secret);
    await eventually(
      () => toolsOf(name),
      (count) => count === 3,
    );
  }
});
afterAll(() => owned.disposeAsync());

describe("the caller's credentials", () => {
  it.each(['shared', 'own', 'stateless'])('never reach a server (%s), through any entry point', async (name) => {
    const token = await gateway.token('developer');
    for (const mode of ['legacy', 'auto'] as const) {
      const client = new Client({ name: 'x', version: '1' }, { versionNegotiation: { mode }, capabilities: { elicitation: { form: {} } } });
      const headers = { authorization: `Bearer ${token}`, cookie: 'session=caller-cookie-canary', 'x-caller': 'caller-header-canary' };
      await client.connect(new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp/${name}`), { requestInit: { headers } }));
      const before = seen.length;
      await client.callTool({ name: 'say', arguments: { text: 'x' } }).catch(() => {});
      expect(seen.length).toBeGreaterThan(before);
      await client.close();
    }
    const all = JSON.stringify(seen);
    for (const canary of [token, token.split('.')[2] ?? '', 'caller-cookie-canary', 'caller-header-canary'])
      expect(all).not.toContain(canary);
    expect(seen.every(({ headers }) => headers.authorization === `Bearer ${secret}`)).toBe(true);
  });
});

describe("a server's credentials", () => {
  it('are in no answer, even when the server repeats them, and in no audit entry', async () => {
    const answers: string[] = [];
    for (const name of ['shared', 'own', 'stateless']) {
      const structured = '{"authorization":"Bearer [hidden]","kept":"as it is","count":3}';
      for (const [tool, shown] of Object.entries({ say: 'Bearer [hidden]', echo: structured, fail: structured })) {
        const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool, arguments: {} } };
        answers.push((await gateway.as('developer', 'POST', `/mcp/${name}`, call, { accept: 'application/json, text/event-stream' })).text);
        expect(answers.at(-1)).toContain(shown);
      }
      for (const path of ['', '/items', '/health'])
        answers.push((await gateway.as('admin', 'GET', `/api/mcp-servers/${name}${path}`)).text);
    }
    for (const path of ['/api/mcp-servers', '/api/config/export', '/api/config/history', '/api/audit'])
      answers.push((await gateway.as('admin', 'GET', path)).text);
    for (const answer of answers) expect(answer).not.toContain(secret);
  });

  it('do not follow a draft to another address', async () => {
    const elsewhere: string[] = [];
    const thief = createServer((request, response) => {
      elsewhere.push(String(request.headers.authorization));
      response.writeHead(500).end();
    });
    await new Promise<void>((resolve) => thief.listen(0, '127.0.0.1', resolve));
    const stolen = `http://127.0.0.1:${(thief.address() as AddressInfo).port}/mcp`;
    const spec = { kind: 'http', options: { url: stolen, headers: { authorization: '***' } } };
    const tried = await gateway.as('developer', 'POST', '/api/mcp-servers/test', { spec, name: 'shared' });
    expect(tried.status).toBe(403);
    expect(elsewhere).toEqual([]);
    thief.close();
  });
});

describe('/mcp', () => {
  const call = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} });
  /** Sends a request as a browser or an attacker does, with any Host. */
  const sendRaw = async (
    path: string,
    headers: Record<string, string>,
    body = call,
  ): Promise<{ status: number; text: string; headers: IncomingHttpHeaders }> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(gateway.url);
      const request = rawRequest(
        {
          hostname,
          port,
          path,
          method: 'POST',
          headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
        },
        (response) => {
          let text = '';
          response.on('data', (part) => (text += part));
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }));
        },
      );
      request.on('error', reject);
      request.end(body);
    });

  it('refuses pages of other sites, even with a rebound host name', async () => {
    const authorization = `Bearer ${await gateway.token('developer')}`;
    const { port } = new URL(gateway.url);
    for (const origin of ['https://evil.example', `http://evil.example:${port}`, 'null', 'chrome-extension://abc']) {
      for (const host of [`127.0.0.1:${port}`, `evil.example:${port}`, 'evil.example'])
        expect((await sendRaw('/mcp', { authorization, origin, host })).status, `${origin} at ${host}`).toBe(403);
    }
    expect((await sendRaw('/mcp', { authorization, origin: `http://127.0.0.1:${port}` })).status).toBe(200);
    expect((await sendRaw('/mcp', { authorization })).status).toBe(200);
  });

  it('names the authorization server, at each address', async () => {
    for (const path of ['/mcp', '/mcp/shared', '/mcp/no-such-server']) {
      const { status, headers } = await sendRaw(path, {});
      expect(status).toBe(401);
      const metadata = /resource_metadata="([^"]+)"/.exec(String(headers['www-authenticate']))?.[1] ?? '';
      const about = (await (await fetch(metadata)).json()) as {
        resource: string;
        authorization_servers: string[];
        scopes_supported: string[];
      };
      expect(new URL(about.resource).pathname).toBe(path);
      expect(about.authorization_servers.length).toBeGreaterThan(0);
      expect(about.scopes_supported).toContain('llm:mcp:use');
    }
  });

  it('answers invalid requests with an error, and stays available', async () => {
    const authorization = `Bearer ${await gateway.token('developer')}`;
    const deep = `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`;
    for (const body of [
      '',
      'not json',
      '[]',
      '42',
      'null',
      '{"jsonrpc":"2.0"}',
      '{"jsonrpc":"1.0","id":1,"method":"tools/list"}',
      deep,
      '{"jsonrpc":"2.0","id":1,"method":"no/such"}',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":5}}',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":null}',
    ]) {
      const { status, text } = await sendRaw('/mcp', { authorization }, body);
      expect(status, body.slice(0, 60)).toBeLessThan(500);
      expect(text, body.slice(0, 60)).toMatch(/error/);
    }
    expect((await sendRaw('/mcp', { authorization, 'content-type': 'text/plain' })).status).toBe(415);
    expect((await sendRaw('/mcp', { authorization })).status).toBe(200);
  });
});

/** A real MCP server for tests with changeable tools, resources and prompts. Both protocol eras, with change notifications. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, isInitializeRequest, Server, WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server';

export interface Offered {
  tools: object[];
  resources: object[];
  prompts: object[];
}

export interface ChangingUpstream extends AsyncDisposable {
  readonly url: string;
  readonly offered: Offered;
  /** Names of tools in the order in which they were called. */
  readonly called: string[];
  /** Sends `list_changed` to every connection. */
  announce(): void;
}

export async function startChangingUpstream(offered: Offered): Promise<ChangingUpstream> {
  const called: string[] = [];
  const sessions = new Map<string, { server: Server; transport: WebStandardStreamableHTTPServerTransport }>();
  const build = (): Server => {
    const capabilities = { tools: { listChanged: true }, resources: { listChanged: true }, prompts: { listChanged: true } };
    const server = new Server({ name: 'changing', version: '1.0.0' }, { capabilities });
    server.setRequestHandler('tools/list', () => ({ tools: offered.tools }) as never);
    server.setRequestHandler('resources/list', () => ({ resources: offered.resources }) as never);
    server.setRequestHandler('resources/templates/list', () => ({ resourceTemplates: [] }));
    server.setRequestHandler('prompts/list', () => ({ prompts: offered.prompts }) as never);
    server.setRequestHandler('tools/call', ({ params }) => {
      called.push(params.name);
      return { content: [{ type: 'text', text: `ran ${params.name}` }] };
    });
    server.setRequestHandler('resources/read', ({ params }) => ({ contents: [{ uri: params.uri, text: `content of ${params.uri}` }] }));
    server.setRequestHandler('prompts/get', ({ params }) => ({
      messages: [{ role: 'user', content: { type: 'text', text: `prompt ${params.name}` } }],
    }));
    return server;
  };
  const modern = createMcpHandler(build, { legacy: 'reject' });
  const serve = toNodeHandler({
    async fetch(request, given) {
      const id = request.headers.get('mcp-session-id');
      const known = id === null ? undefined : sessions.get(id);
      if (known !== undefined) return known.transport.handleRequest(request, given);
      if (id !== null) return new Response(null, { status: 404 });
      const body: unknown = request.method === 'POST' ? await request.clone().json() : undefined;
      if (!isInitializeRequest(body)) return modern.fetch(request, given);
      const transport = new WebStandardStreamableHTTPServerTransport({ sessionIdGenerator: randomUUID });
      const server = build();
      await server.connect(transport);
      const response = await transport.handleRequest(request, given);
      if (transport.sessionId !== undefined) sessions.set(transport.sessionId, { server, transport });
      return response;
    },
  });
  const server = createServer((request, response) => void serve(request as never, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}/mcp`,
    offered,
    called,
    announce() {
      modern.notify.toolsChanged();
      modern.notify.promptsChanged();
      modern.notify.resourcesChanged();
      for (const session of sessions.values()) session.server.sendToolListChanged().catch(() => {});
    },
    async [Symbol.asyncDispose]() {
      await modern.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An MCP server of the session protocol that answers exactly what a test gives it, also what the SDK would refuse to send. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Answers = Record<string, unknown>;

export interface RawMcpServer extends AsyncDisposable {
  readonly url: string;
  /** By method; `initialize` is merged into a sound handshake. Missing: an empty result. */
  answers: Answers;
  /** Parameters of each request, by method. */
  readonly seen: { readonly method: string; readonly params: unknown }[];
}

export async function startRawMcpServer(answers: Answers): Promise<RawMcpServer> {
  const seen: { method: string; params: unknown }[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      if (request.method !== 'POST') return void response.writeHead(405).end();
      const { id, method, params } = JSON.parse(Buffer.concat(parts).toString()) as { id?: number; method: string; params: unknown };
      seen.push({ method, params });
      if (id === undefined) return void response.writeHead(202).end();
      const handshake = {
        protocolVersion: '2025-11-25',
        capabilities: { tools: {}, resources: {}, prompts: {} },
        serverInfo: { name: 'raw', version: '1' },
        ...(raw.answers['initialize'] as object | undefined),
      };
      const empty: Answers = {
        initialize: handshake,
        'tools/list': { tools: [] },
        'resources/list': { resources: [] },
        'resources/templates/list': { resourceTemplates: [] },
        'prompts/list': { prompts: [] },
      };
      const result = method === 'initialize' ? handshake : (raw.answers[method] ?? empty[method] ?? {});
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, result }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const raw: RawMcpServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    answers,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return raw;
}

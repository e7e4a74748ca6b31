/** A mock MCP server over HTTP with one tool that records its input. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, Server } from '@modelcontextprotocol/server';

export interface ToolServer extends AsyncDisposable {
  readonly url: string;
  /** Inputs of the tool, oldest first. */
  readonly inputs: unknown[];
  /** Number of calls that the client cancelled. */
  aborts: number;
  /** True: calls are not answered. */
  hang: boolean;
  /** Calls are answered when this resolves. */
  delay: Promise<void> | null;
}

const tool = { name: 'say', description: 'Says it.', inputSchema: { type: 'object' as const } };

export async function startToolServer(): Promise<ToolServer> {
  const inputs: unknown[] = [];
  const handler = createMcpHandler(() => {
    const server = new Server({ name: 'tests', version: '1.0.0' }, { capabilities: { tools: {} } });
    server.setRequestHandler('tools/list', async () => ({ tools: [tool] }));
    server.setRequestHandler('tools/call', async ({ params }) => {
      inputs.push(params.arguments);
      if (tools.hang) await new Promise(() => {});
      if (tools.delay !== null) await tools.delay;
      return { content: [{ type: 'text', text: 'said' }] };
    });
    server.setNotificationHandler('notifications/cancelled', () => void tools.aborts++);
    return server;
  });
  const serve = toNodeHandler(handler);
  const server = createServer((request, response) => void serve(request as never, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const tools: ToolServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    inputs,
    aborts: 0,
    hang: false,
    delay: null,
    async [Symbol.asyncDispose]() {
      await handler.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return tools;
}

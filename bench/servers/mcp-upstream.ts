/** An MCP server for both protocol eras with many tools, each of which answers at once. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, Server } from '@modelcontextprotocol/server';

const toolsOfEach = 40;
const tools = Array.from({ length: toolsOfEach }, (_, index) => ({
  name: `tool_${index}`,
  description: `Tool number ${index} of the benchmark, with a description of about the usual length, which says what it does and when to use it.`,
  inputSchema: { type: 'object', properties: { text: { type: 'string', description: 'What comes back.' } }, required: ['text'] },
}));

const handler = createMcpHandler(() => {
  const server = new Server({ name: 'bench', version: '1.0.0' }, { capabilities: { tools: {} } });
  server.setRequestHandler('tools/list', () => ({ tools }) as never);
  server.setRequestHandler('tools/call', ({ params }) => ({ content: [{ type: 'text', text: String(params.arguments?.['text']) }] }));
  return server;
});
const serve = toNodeHandler(handler);
const server = createServer((request, response) => void serve(request as never, response));
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
process.on('SIGTERM', () => process.exit(0));

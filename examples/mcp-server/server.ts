/** A small MCP server over stdio: a clock and a calculator. Pailou's demo models use it, and it is an example of such a server. */
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';
import { evaluate } from './calculator.ts';

const text = (content: string, isError = false) => ({
  content: [{ type: 'text' as const, text: content }],
  ...(isError ? { isError } : {}),
});

function currentTime(timezone: string | undefined) {
  try {
    const format = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeStyle: 'long', timeZone: timezone ?? 'UTC' });
    return text(format.format(new Date()));
  } catch {
    return text(`There is no time zone "${timezone}". Use a name such as Asia/Shanghai.`, true);
  }
}

function calculate(expression: string) {
  try {
    return text(`${expression} = ${evaluate(expression)}`);
  } catch (error) {
    return text(error instanceof Error ? error.message : String(error), true);
  }
}

function createServer(): McpServer {
  const server = new McpServer({ name: 'pailou-example', version: '1.0.0' });
  server.registerTool(
    'current_time',
    {
      description: 'The date and time now (a clock).',
      inputSchema: z.object({ timezone: z.string().optional().describe('e.g. Asia/Shanghai; UTC unless given') }),
      annotations: { readOnlyHint: true },
    },
    async ({ timezone }) => currentTime(timezone),
  );
  server.registerTool(
    'calculate',
    {
      description: 'Calculates an arithmetic expression.',
      inputSchema: z.object({ expression: z.string().max(1_000).describe('e.g. (1 + 2) * 3.5 ^ 2') }),
      annotations: { readOnlyHint: true },
    },
    async ({ expression }) => calculate(expression),
  );
  return server;
}

serveStdio(createServer);

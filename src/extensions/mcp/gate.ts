/** Pailou as an MCP server, in both protocol eras: what a caller may see is decided anew for each request. */
import { createMcpHandler, type McpHttpHandler, ProtocolError, ProtocolErrorCode, Server } from '@modelcontextprotocol/server';
import { GatewayError, toGatewayError } from '../../types/errors.ts';
import type { JsonObject } from '../../types/json.ts';
import type { Logger } from '../../types/logger.ts';
import type { ToolDefinition, ToolResult } from '../../types/tool-source.ts';

/** One request's view: the tools of one caller at one address, under the names that this address shows. */
export interface McpDoor {
  /** From memory; never waits for a server. */
  tools(): readonly ToolDefinition[];
  /** `name` as shown, or an unambiguous bare name. Throws GatewayError for a tool that is not there or not allowed. */
  call(name: string, input: JsonObject, signal: AbortSignal): Promise<ToolResult>;
}

export interface McpGate {
  readonly handler: McpHttpHandler;
  /** What the handler needs to know of the caller; put it on the request as `auth`. */
  admit(door: McpDoor, client: string): NonNullable<Parameters<McpHttpHandler['fetch']>[1]>['authInfo'];
  /** Tells the clients that listen that tools came or went. */
  toolsChanged(): void;
  close(): Promise<void>;
}

/** What a tool tells its caller when it could not be run: text that a model can read. */
function failed(error: GatewayError): ToolResult {
  return { content: [{ type: 'text', text: error.message }], isError: true };
}

/** A wrong name or a missing right is a fault of the request, not of the tool. */
function protocolError(error: GatewayError): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, error.message);
}

function buildServer(door: McpDoor, version: string): Server {
  const server = new Server({ name: 'pailou', version }, { capabilities: { tools: { listChanged: true } } });
  server.setRequestHandler('tools/list', () => {
    const tools = door.tools().map(({ name, title, description, inputSchema, outputSchema, annotations }) => ({
      name,
      ...(title === undefined ? {} : { title }),
      ...(description === undefined ? {} : { description }),
      inputSchema,
      ...(outputSchema === undefined ? {} : { outputSchema }),
      ...(annotations === undefined ? {} : { annotations }),
    }));
    // Definitions are the upstream servers' own; their schemas pass on as they are.
    return { tools } as never;
  });
  server.setRequestHandler('tools/call', async ({ params }, context) => {
    try {
      return (await door.call(params.name, (params.arguments ?? {}) as JsonObject, context.mcpReq.signal)) as never;
    } catch (thrown) {
      const error = toGatewayError(thrown);
      if (error.status === 403 || error.status === 404 || error.status === 400) throw protocolError(error);
      return failed(error) as never;
    }
  });
  return server;
}

export function createMcpGate(options: { readonly logger: Logger; readonly version: string }): McpGate {
  const handler = createMcpHandler(
    ({ authInfo }) => {
      const door = authInfo?.extra?.['door'] as McpDoor | undefined;
      if (door === undefined) throw new GatewayError('internal_error', 'An MCP request came in without its caller.');
      return buildServer(door, options.version);
    },
    { onerror: (error) => options.logger.debug({ reason: error.message }, 'MCP gate') },
  );
  return {
    handler,
    // The token itself stays outside: nothing behind this line could pass it on.
    admit: (door, client) => ({ token: '', clientId: client, scopes: [], extra: { door } }),
    toolsChanged: () => handler.notify.toolsChanged(),
    close: () => handler.close(),
  };
}

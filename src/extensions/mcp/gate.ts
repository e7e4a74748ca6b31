/** Pailou as an MCP server, in both protocol eras: what a caller may see is decided anew for each request. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { toNodeHandler } from '@modelcontextprotocol/node';
import type * as Sdk from '@modelcontextprotocol/server';
import { GatewayError, toGatewayError } from '../../types/errors.ts';
import type { JsonObject } from '../../types/json.ts';
import type { Logger } from '../../types/logger.ts';
import type { ToolDefinition, ToolResult } from '../../types/tool-source.ts';

/** One request's view: the tools of one caller at one address, under the names that this address shows. */
export interface McpDoor {
  /** From memory; only a server that was never asked before is waited for, a little. */
  tools(): Promise<readonly ToolDefinition[]>;
  /** `name` as shown, or an unambiguous bare name. Throws GatewayError for a tool that is not there or not allowed. */
  call(name: string, input: JsonObject, signal: AbortSignal): Promise<ToolResult>;
}

export interface McpGate {
  /** Serves one request to its end. `body` is the parsed JSON, undefined for none. `client` names the caller's OAuth2 client. */
  serve(request: IncomingMessage, response: ServerResponse, body: unknown, door: McpDoor, client: string): Promise<void>;
  /** Tells the clients that listen that tools came or went. */
  toolsChanged(): void;
  close(): Promise<void>;
}

/** What a tool tells its caller when it could not be run: text that a model can read. */
function failed(error: GatewayError): ToolResult {
  return { content: [{ type: 'text', text: error.message }], isError: true };
}

function buildServer(sdk: typeof Sdk, door: McpDoor, version: string): Sdk.Server {
  const server = new sdk.Server({ name: 'pailou', version }, { capabilities: { tools: { listChanged: true } } });
  server.setRequestHandler('tools/list', async () => {
    const tools = (await door.tools()).map(({ name, title, description, inputSchema, outputSchema, annotations }) => ({
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
      // A wrong name or a missing right is a fault of the request, not of the tool.
      if (error.status === 403 || error.status === 404 || error.status === 400) {
        throw new sdk.ProtocolError(sdk.ProtocolErrorCode.InvalidParams, error.message);
      }
      return failed(error) as never;
    }
  });
  return server;
}

export function createMcpGate(options: { readonly logger: Logger; readonly version: string }): McpGate {
  let loading: Promise<{ handler: Sdk.McpHttpHandler; serve: ReturnType<typeof toNodeHandler> }> | null = null;
  let loaded: Sdk.McpHttpHandler | null = null;

  /** The SDK is large; a node whose callers use no MCP never loads it. */
  const load = async () => {
    const [sdk, node] = await Promise.all([import('@modelcontextprotocol/server'), import('@modelcontextprotocol/node')]);
    const handler = sdk.createMcpHandler(
      ({ authInfo }) => {
        const door = authInfo?.extra?.['door'] as McpDoor | undefined;
        if (door === undefined) throw new GatewayError('internal_error', 'An MCP request came in without its caller.');
        return buildServer(sdk, door, options.version);
      },
      { onerror: (error) => options.logger.debug({ reason: error.message }, 'MCP gate') },
    );
    loaded = handler;
    return { handler, serve: node.toNodeHandler(handler) };
  };

  return {
    async serve(request, response, body, door, client) {
      const { serve } = await (loading ??= load());
      // The token itself stays outside: nothing behind this line could pass it on.
      const auth = { token: '', clientId: client, scopes: [], extra: { door } };
      await serve(Object.assign(request, { auth }) as never, response, body);
    },
    toolsChanged: () => loaded?.notify.toolsChanged(),
    async close() {
      await loaded?.close();
    },
  };
}

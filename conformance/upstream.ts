/** The MCP server behind Pailou during the suite: everything that the suite calls by name, for both protocol eras at one URL. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toNodeHandler } from '@modelcontextprotocol/node';
import {
  createMcpHandler,
  hostHeaderValidationResponse,
  isLegacyRequest,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  McpServer,
  originValidationResponse,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import { addAskingTools } from './upstream/asking-tools.ts';
import { createEventStore } from './upstream/event-store.ts';
import { addMultiRoundPrompt, addMultiRoundTools, requestStates } from './upstream/multi-round.ts';
import { addPlainTools } from './upstream/plain-tools.ts';
import { addPrompts, addResources } from './upstream/resources-and-prompts.ts';
import { addSpeakingTools, type ChangingLists } from './upstream/speaking-tools.ts';

export interface Upstream extends AsyncDisposable {
  readonly url: string;
}

interface Session {
  readonly server: McpServer;
  readonly transport: WebStandardStreamableHTTPServerTransport;
}

type Era = 'legacy' | 'modern';

function buildServer(lists: ChangingLists, era: Era): McpServer {
  const server = new McpServer(
    { name: 'conformance-upstream', version: '1.0.0' },
    {
      capabilities: {
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { listChanged: true, ...(era === 'legacy' ? { subscribe: true } : {}) },
        completions: {},
        logging: {},
      },
      requestState: { verify: (state, context) => requestStates.verify(state, context) },
    },
  );
  addPlainTools(server);
  addSpeakingTools(server, lists);
  addMultiRoundTools(server);
  addResources(server);
  addPrompts(server, lists.extraPrompt);
  if (era === 'legacy') addAskingTools(server);
  else addMultiRoundPrompt(server);
  return server;
}

const notFound = (): Response =>
  Response.json({ jsonrpc: '2.0', id: null, error: { code: -32001, message: 'Session not found' } }, { status: 404 });

/** Serves until it is disposed. Port 0 selects a free one. */
export async function startUpstream(port = 0): Promise<Upstream> {
  const sessions = new Map<string, Session>();
  const lists: ChangingLists = {
    extraTool: false,
    extraPrompt: false,
    toolsChanged() {
      modern.notify.toolsChanged();
      for (const { server } of sessions.values()) server.sendToolListChanged();
    },
    promptsChanged() {
      modern.notify.promptsChanged();
      for (const { server } of sessions.values()) server.sendPromptListChanged();
    },
  };
  const modern = createMcpHandler(() => buildServer(lists, 'modern'), { legacy: 'reject' });

  const openSession = async (): Promise<Session> => {
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (id) => void sessions.set(id, session),
      onsessionclosed: (id) => void sessions.delete(id),
      eventStore: createEventStore(),
      retryInterval: 100,
    });
    const session = { server: buildServer(lists, 'legacy'), transport };
    await session.server.connect(transport);
    return session;
  };

  const legacy = async (request: Request): Promise<Response> => {
    const id = request.headers.get('mcp-session-id');
    const session = id === null ? await openSession() : sessions.get(id);
    return session === undefined ? notFound() : session.transport.handleRequest(request);
  };

  const fetch = async (request: Request): Promise<Response> => {
    const refused =
      hostHeaderValidationResponse(request, localhostAllowedHostnames()) ?? originValidationResponse(request, localhostAllowedOrigins());
    if (refused !== undefined) return refused;
    return (await isLegacyRequest(request)) ? legacy(request) : modern.fetch(request);
  };

  const handle = toNodeHandler({ fetch });
  const server = createServer((request, response) => void handle(request as never, response)).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    async [Symbol.asyncDispose]() {
      await modern.close();
      await Promise.all([...sessions.values()].map((session) => session.server.close()));
      server.closeAllConnections();
      server.close();
    },
  };
}

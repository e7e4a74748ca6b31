/** Pailou as an MCP server. Each method uses the view of its own request, so that permissions are checked for every request. */
import type * as Sdk from '@modelcontextprotocol/server';
import { GatewayError, toGatewayError } from '../../../types/errors.ts';
import type { JsonObject } from '../../../types/json.ts';
import { type McpPeer, type ServerListing, SourceRefusal, type SourceQuestion, type ToolResult } from '../../../types/tool-source.ts';
import { reportErrors } from './report-errors.ts';
import type { ViewContext, McpView } from './mcp-view.ts';
import type { PendingElicitations } from './pending-elicitations.ts';
import { peerOf, type SessionMemory } from './peer.ts';
import { addSkills, skillsCapability } from './skills.ts';

/** Bound on the resource subscriptions of one session. */
const mostWatches = 100;

export interface GateServer {
  readonly server: Sdk.Server;
  /** Ends all resource subscriptions of the session. */
  forget(): void;
}

/** The view of the request. It travels in `authInfo`, never in the request itself. */
export function viewOf(authInfo: { readonly extra?: Record<string, unknown> } | undefined): McpView {
  const view = authInfo?.extra?.['view'] as McpView | undefined;
  if (view === undefined) throw new GatewayError('internal_error', 'The MCP request has no view of its caller.');
  return view;
}

/** The tool result for a failed call, as text that a model can read. */
function failed(error: GatewayError): ToolResult {
  return { content: [{ type: 'text', text: error.message }], isError: true };
}

/** True for a client without a session that can answer questions, which it does with its next request. */
function isHeldFor({ connection, ask, capabilities }: McpPeer): boolean {
  return connection === null && ask === undefined && ['elicitation', 'sampling', 'roots'].some((each) => capabilities[each] !== undefined);
}

/** Shared by all servers of a gate. */
export interface GateParts {
  readonly sdk: typeof Sdk;
  readonly version: string;
  readonly held: PendingElicitations;
}

/** `session` is null for a request without one. `hasSkills`: whether the address shows skills. `instructions` are part of the handshake. */
export function buildServer(
  { sdk, version, held }: GateParts,
  session: SessionMemory | null,
  { hasSkills, instructions }: { readonly hasSkills: boolean; readonly instructions?: string | undefined },
): GateServer {
  const server = new sdk.Server(
    { name: 'pailou', version },
    {
      capabilities: {
        tools: { listChanged: true },
        resources: { listChanged: true, subscribe: true },
        prompts: { listChanged: true },
        completions: {},
        logging: {},
        ...(hasSkills ? { extensions: skillsCapability } : {}),
      },
      ...(instructions === undefined ? {} : { instructions }),
    },
  );
  reportErrors(server, viewOf);
  const watches = new Map<string, () => void>();

  /** The error for the client: the source's own, or Pailou's with a code of the protocol. */
  const asProtocolError = (thrown: unknown): Error => {
    if (thrown instanceof SourceRefusal) return new sdk.ProtocolError(thrown.code, thrown.message, thrown.data);
    const error = toGatewayError(thrown);
    const isCallers = error.status === 403 || error.status === 404 || error.status === 400 || error.status === 429;
    const code = isCallers ? sdk.ProtocolErrorCode.InvalidParams : sdk.ProtocolErrorCode.InternalError;
    return new sdk.ProtocolError(code, error.message, { code: error.code });
  };
  const contextOf = (context: Sdk.ServerContext): ViewContext => ({
    signal: context.mcpReq.signal,
    peer: peerOf(server, context, session),
  });
  const viewFor = (context: Sdk.ServerContext): McpView => viewOf(context.http?.authInfo);

  const offered = (context: Sdk.ServerContext): Promise<ServerListing> =>
    viewFor(context)
      .offer()
      .catch((thrown: unknown) => {
        throw asProtocolError(thrown);
      });
  server.setRequestHandler('tools/list', async (_request, context) => ({ tools: (await offered(context)).tools }) as never);
  server.setRequestHandler('resources/list', async (_request, context) => ({ resources: (await offered(context)).resources }) as never);
  server.setRequestHandler(
    'resources/templates/list',
    async (_request, context) => ({ resourceTemplates: (await offered(context)).templates }) as never,
  );
  server.setRequestHandler('prompts/list', async (_request, context) => ({ prompts: (await offered(context)).prompts }) as never);

  if (hasSkills) addSkills(sdk, server, viewFor);

  server.setRequestHandler('tools/call', async ({ params }, context) => {
    try {
      const view = viewFor(context);
      const input = (params.arguments ?? {}) as JsonObject;
      const given = contextOf(context);
      if (!isHeldFor(given.peer)) return (await view.call(params.name, input, given)) as never;
      const wanted = `${params.name} ${JSON.stringify(input)}`;
      return (await held.run(view.holder, wanted, given, (askable) => view.call(params.name, input, askable))) as never;
    } catch (thrown) {
      const isFault = !(thrown instanceof SourceRefusal) && toGatewayError(thrown).status >= 500;
      // A wrong name or a missing permission is a protocol error. A tool that is down is a tool result, which the model can read.
      if (isFault) {
        viewFor(context).refused?.(toGatewayError(thrown));
        return failed(toGatewayError(thrown)) as never;
      }
      throw asProtocolError(thrown);
    }
  });

  const ask = async (question: SourceQuestion, params: unknown, context: Sdk.ServerContext): Promise<never> => {
    try {
      return (await viewFor(context).ask(question, params as JsonObject, contextOf(context))) as never;
    } catch (thrown) {
      throw asProtocolError(thrown);
    }
  };
  server.setRequestHandler('resources/read', ({ params }, context) => ask('resources/read', { uri: params.uri }, context));
  server.setRequestHandler('prompts/get', ({ params: { name, arguments: given } }, context) =>
    ask('prompts/get', given === undefined ? { name } : { name, arguments: given }, context),
  );
  server.setRequestHandler('completion/complete', ({ params: { ref, argument, context: known } }, context) =>
    ask('completion/complete', known === undefined ? { ref, argument } : { ref, argument, context: known }, context),
  );

  server.setRequestHandler('resources/subscribe', ({ params: { uri } }, context) => {
    if (watches.has(uri)) return {};
    if (session === null)
      throw new sdk.ProtocolError(sdk.ProtocolErrorCode.InvalidRequest, 'Open a session first: subscriptions belong to one.');
    if (watches.size >= mostWatches)
      throw new sdk.ProtocolError(
        sdk.ProtocolErrorCode.InvalidRequest,
        `At most ${mostWatches} subscriptions in one session; end one first.`,
      );
    try {
      watches.set(
        uri,
        viewFor(context).watch(uri, () => {
          server.sendResourceUpdated({ uri }).catch(() => {});
        }),
      );
    } catch (thrown) {
      throw asProtocolError(thrown);
    }
    return {};
  });
  server.setRequestHandler('resources/unsubscribe', ({ params: { uri } }) => {
    watches.get(uri)?.();
    watches.delete(uri);
    return {};
  });
  server.setRequestHandler('logging/setLevel', ({ params }) => {
    if (session !== null) session.logLevel = params.level;
    return {};
  });

  return {
    server,
    forget() {
      for (const stop of watches.values()) stop();
      watches.clear();
    },
  };
}

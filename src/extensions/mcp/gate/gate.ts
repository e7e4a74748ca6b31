/** The MCP endpoint for clients of both protocol eras. Routes a request to its session or to the stateless handler. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type * as Sdk from '@modelcontextprotocol/server';
import { LRUCache } from 'lru-cache';
import { isJsonObject } from '../../../types/json.ts';
import type { Logger } from '../../../types/logger.ts';
import { reportStatus } from './report-errors.ts';
import type { McpView } from './mcp-view.ts';
import { createPendingElicitations } from './pending-elicitations.ts';
import { buildServer, viewOf } from './server.ts';
import { mayBeStreamed, withSignsOfLife } from './signs-of-life.ts';
import { createSessions, type SessionInfo, type Sessions, TooManySessions } from './sessions.ts';

export interface McpGate {
  /** Serves one request to its end. `body` is the parsed JSON, undefined for none. `client` names the caller's OAuth2 client. */
  serve(request: IncomingMessage, response: ServerResponse, body: unknown, view: McpView, client: string): Promise<void>;
  /** Sends `list_changed` to the clients that listen. Changes within `changeDelayMs` are merged. */
  changed(): void;
  /** The open sessions on this node. */
  sessions(): readonly SessionInfo[];
  endSession(id: string): void;
  close(): Promise<void>;
}

export interface McpGateOptions {
  readonly logger: Logger;
  readonly version: string;
  /** Milliseconds of silence after which a client gets a sign of life. */
  readonly quietMs: number;
  /** Called when a client's session ends, so that upstream connections opened for it can be closed. */
  onSessionEnd?(id: string): void;
}

/** The SDK, loaded at the first request, and the parts that depend on it. */
interface Loaded {
  readonly sdk: typeof Sdk;
  readonly sessions: Sessions;
  readonly serve: (request: IncomingMessage, response: ServerResponse, body: unknown) => Promise<void>;
}

/** Bound on addresses with a stateless handler. Each tenant has `/mcp` and one address for each server. */
const mostScopes = 5_000;
const changeDelayMs = 200;
const mostWatches = 100;

/** JSON-RPC error for a session that is unknown or belongs to another caller. The client then opens a new one. */
function unknownSession(why: string | null): Response {
  const error = { code: -32_001, message: why ?? 'There is no such session here any more. Open a new one with initialize.' };
  return Response.json({ jsonrpc: '2.0', error, id: null }, { status: 404 });
}

const methodOf = (body: unknown): unknown => (typeof body === 'object' && body !== null && 'method' in body ? body.method : undefined);

function resourcesListenedTo(body: unknown): readonly string[] {
  if (!isJsonObject(body) || body['method'] !== 'subscriptions/listen' || !isJsonObject(body['params'])) return [];
  const filter = body['params']['notifications'];
  const uris = isJsonObject(filter) ? filter['resourceSubscriptions'] : undefined;
  return Array.isArray(uris) ? uris.filter((uri) => typeof uri === 'string').slice(0, mostWatches) : [];
}

export function createMcpGate(options: McpGateOptions): McpGate {
  const { logger, version } = options;
  const held = createPendingElicitations();
  let loading: Promise<Loaded> | null = null;
  let loaded: Loaded | null = null;
  let changeTimer: NodeJS.Timeout | undefined;
  /** By scope, so that a notification of one tenant's resource does not reach another tenant. */
  const handlers = new LRUCache<string, Sdk.McpHttpHandler>({ max: mostScopes, dispose: (handler) => void handler.close() });

  const handlerFor = (sdk: typeof Sdk, { scope, skills }: McpView): Sdk.McpHttpHandler => {
    const known = handlers.get(scope);
    if (known !== undefined) return known;
    // A request that opens no session is served without one, in either protocol era.
    const made = sdk.createMcpHandler(
      async ({ authInfo }) =>
        buildServer({ sdk, version, held }, null, { hasSkills: skills !== undefined, instructions: await instructionsFor(authInfo) })
          .server,
      {
        onerror: (error) => logger.debug({ reason: error.message }, 'MCP gate'),
      },
    );
    handlers.set(scope, made);
    return made;
  };

  /** Only the handshake shows instructions. */
  const instructionsFor = async (authInfo: Sdk.AuthInfo | undefined): Promise<string | undefined> => {
    if (authInfo?.extra?.['method'] !== 'server/discover') return undefined;
    return viewOf(authInfo).instructions?.();
  };

  const respond = async (sdk: typeof Sdk, sessions: Sessions, request: Request, given: Sdk.McpHandlerRequestOptions): Promise<Response> => {
    const view = viewOf(given.authInfo);
    const opens = request.method === 'POST' && sdk.isInitializeRequest(given.parsedBody);
    if (opens || request.headers.get('mcp-session-id') !== null) {
      if (request.method === 'POST' && !sdk.isJsonContentType(request.headers.get('content-type')))
        return Response.json(
          { jsonrpc: '2.0', error: { code: -32_000, message: 'The Content-Type must be application/json.' }, id: null },
          { status: 415 },
        );
      try {
        return (
          (await sessions.serve(request, given, view)) ??
          unknownSession(sessions.endedWhy(request.headers.get('mcp-session-id') ?? '', view))
        );
      } catch (thrown) {
        if (!(thrown instanceof TooManySessions)) throw thrown;
        return Response.json({ jsonrpc: '2.0', error: { code: -32_000, message: thrown.message }, id: null }, { status: 429 });
      }
    }
    const handler = handlerFor(sdk, view);
    const closed = given.authInfo?.extra?.['closed'] as AbortSignal;
    const stops = resourcesListenedTo(given.parsedBody).flatMap((uri) => {
      try {
        return [view.watch(uri, () => handler.notify.resourceUpdated(uri))];
      } catch {
        // The caller may not see the resource, or it does not exist, so there is nothing to watch.
        return [];
      }
    });
    closed.addEventListener('abort', () => stops.forEach((stop) => stop()), { once: true });
    return handler.fetch(request, given);
  };

  /** Loads the SDK on first use. It is large, and nodes without MCP traffic do not need it. */
  const load = async (): Promise<Loaded> => {
    const [sdk, node] = await Promise.all([import('@modelcontextprotocol/server'), import('@modelcontextprotocol/node')]);
    const sessions = createSessions({ sdk, version, held }, (id) => options.onSessionEnd?.(id));
    const fetch = (request: Request, given: Sdk.McpHandlerRequestOptions = {}): Promise<Response> => {
      // The head of an answer to `initialize` has the id of its session.
      const mayBegin = mayBeStreamed(request) && !sdk.isInitializeRequest(given.parsedBody);
      const responding = respond(sdk, sessions, request, given).then((response) => {
        reportStatus(response, viewOf(given.authInfo));
        return response;
      });
      return withSignsOfLife(responding, mayBegin, options.quietMs);
    };
    const serve = node.toNodeHandler({ fetch });
    return (loaded = { sdk, sessions, serve: serve as never });
  };

  return {
    async serve(request, response, body, view, client) {
      const { serve } = await (loading ??= load());
      // The client left while the SDK was loading. No later event would end what is started for it.
      if (response.destroyed) return;
      // The token is not passed on, so no code behind this line can forward it.
      const closed = new AbortController();
      response.once('close', () => closed.abort());
      const auth = {
        token: '',
        clientId: client,
        scopes: [],
        extra: { view, closed: closed.signal, method: methodOf(body) },
      };
      await serve(Object.assign(request, { auth }) as never, response, body);
    },
    changed() {
      changeTimer ??= setTimeout(() => {
        changeTimer = undefined;
        loaded?.sessions.changed();
        for (const { notify } of handlers.values()) {
          notify.toolsChanged();
          notify.resourcesChanged();
          notify.promptsChanged();
        }
      }, changeDelayMs).unref();
    },
    sessions: () => loaded?.sessions.list() ?? [],
    endSession: (id) => loaded?.sessions.end(id),
    async close() {
      clearTimeout(changeTimer);
      held.close();
      await loaded?.sessions.close();
      await Promise.all([...handlers.values()].map((handler) => handler.close()));
    },
  };
}

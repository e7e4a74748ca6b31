/** An MCP server as a tool source, over one shared connection or over one for each caller. */
import type { Client, Transport } from '@modelcontextprotocol/client';
import { GatewayError } from '../../../../types/errors.ts';
import type { JsonObject } from '../../../../types/json.ts';
import type { Logger } from '../../../../types/logger.ts';
import type { ServerListing, PeerMethod, SourceQuestion, ToolContext, ToolResult, ToolSource } from '../../../../types/tool-source.ts';
import { type Connection, createConnection, type ProtocolEra } from './connection.ts';
import { readServerListing } from './server-listing.ts';
import { createPerCallerConnections, type PerCallerHandlers } from './per-caller-connections.ts';
import { createResourceSubscriptions } from './resource-subscriptions.ts';
import { refusal, sessionRefused, unreachable, withoutSecrets } from './connection-errors.ts';

export interface SessionOptions {
  /** Creates a transport. `latest` gives the latest request of the connection's caller; null for the shared connection. */
  transport(latest: () => ToolContext | null): Transport | Promise<Transport>;
  readonly protocol: ProtocolEra;
  /** `user`: each user has a session of their own, in which the server may ask the user's client. */
  readonly sessions: 'shared' | 'user';
  /** False if the server can be listed only with the credentials of a user. */
  readonly listsAlone: boolean;
  /** Bound on the sessions of users. */
  readonly mostOwn: number;
  readonly secrets: readonly string[];
  readonly logger: Logger;
}

const askable: JsonObject = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} };
async function answerAlone(method: PeerMethod): Promise<JsonObject> {
  if (method === 'roots/list') return { roots: [] };
  throw new Error('No client can answer: no call is in flight.');
}

/** A backstop; normally the caller's signal ends a call. */
const callTimeoutMs = 3_600_000;
const questionTimeoutMs = 60_000;

/** Metadata of one request: the place in a trace, and in the stateless protocol the client's capabilities and its log level. */
function metaFor(client: Client, { peer, traceparent }: ToolContext, own: boolean): JsonObject {
  const trace: JsonObject = traceparent === undefined ? {} : { traceparent };
  if (client.getProtocolEra() !== 'modern') return trace;
  return {
    ...trace,
    'io.modelcontextprotocol/clientCapabilities': peer?.capabilities ?? {},
    ...(own && peer?.logLevel !== undefined ? { 'io.modelcontextprotocol/logLevel': peer.logLevel } : {}),
  };
}

/** The parameters of one request, with the caller's answers to earlier questions. */
function paramsFor(client: Client, params: JsonObject, context: ToolContext, own: boolean): JsonObject {
  const { peer } = context;
  const meta = metaFor(client, context, own);
  return {
    ...params,
    ...(peer?.inputResponses === undefined ? {} : { inputResponses: peer.inputResponses }),
    ...(peer?.requestState === undefined ? {} : { requestState: peer.requestState }),
    ...(Object.keys(meta).length === 0 ? {} : { _meta: meta }),
  };
}

export function createSession(options: SessionOptions): ToolSource {
  const { logger, protocol, secrets } = options;
  const listeners = new Set<() => void>();
  const subscriptions = createResourceSubscriptions();
  /** Input schemas of the last listing. In the stateless protocol, a schema may map arguments to headers. */
  let schemas = new Map<string, JsonObject>();
  const announce = (): void => {
    for (const listener of listeners) listener();
  };

  const open = (latest: () => ToolContext | null, handlers: PerCallerHandlers | null): Connection =>
    createConnection({
      transport: () => options.transport(latest),
      protocol,
      // A server with a shared session may not ask, because its question could not be routed to a caller.
      capabilities: handlers?.onQuestion === undefined ? {} : handlers.capabilities,
      secrets,
      logger,
      onOfferChanged: announce,
      onNotification(method, params) {
        if (method === 'notifications/resources/updated') subscriptions.updated(params);
        else handlers?.onNotification(method, params);
      },
      ...(handlers?.onQuestion === undefined ? {} : { onQuestion: handlers.onQuestion }),
      onConnected(client) {
        if (latest() === null) return subscriptions.connected(client);
        if (!options.listsAlone) announce();
        return undefined;
      },
    });
  // Declares that it can be asked, because some servers list certain tools only then. It answers no questions.
  const shared =
    options.sessions === 'shared'
      ? open(() => null, null)
      : open(() => null, { capabilities: askable, onNotification: () => {}, onQuestion: answerAlone });
  const own = createPerCallerConnections({ open, most: options.mostOwn });

  const withConnection = <T>(context: ToolContext, work: (connection: Connection, isOwn: boolean) => Promise<T>): Promise<T> =>
    options.sessions === 'shared' ? work(shared, false) : own.use(context, (connection) => work(connection, true));

  /** Runs one request on the caller's connection, and forwards progress and answers. */
  const request = async <T>(
    context: ToolContext,
    mayRepeat: (error: unknown) => boolean,
    send: (client: Client, own: boolean, requestOptions: JsonObject) => Promise<T>,
  ): Promise<T> =>
    withConnection(context, (connection, isOwn) =>
      connection.use(context.signal, mayRepeat, async (client) => {
        const { signal, peer } = context;
        const level = peer?.logLevel;
        if (isOwn && level !== undefined && client.getProtocolEra() === 'legacy' && client.getServerCapabilities()?.logging !== undefined)
          await client.setLoggingLevel(level as never, { signal }).catch(() => {});
        return send(client, isOwn, {
          signal,
          timeout: callTimeoutMs,
          allowInputRequired: peer !== undefined,
          ...(peer?.progress === undefined ? {} : { onprogress: peer.progress }),
        } as never);
      }),
    ).then(
      (answer) => withoutSecrets(answer, secrets, (answer as { readonly isError?: boolean }).isError !== true),
      (thrown: unknown) => {
        if (context.signal.aborted) throw thrown;
        throw refusal(thrown, secrets);
      },
    );

  return {
    async list(signal) {
      const connection = options.listsAlone ? shared : own.any();
      if (connection === null)
        throw new GatewayError(
          'tool_failed',
          'This MCP server has not been listed yet: no user has connected to it. Connect, or call POST /api/mcp-servers/{name}/sync.',
        );
      const offer: ServerListing = await connection
        .use(
          signal,
          () => true,
          (client, mender) => readServerListing(client, signal, mender),
        )
        .catch((thrown: unknown) => {
          throw unreachable(signal.aborted ? signal.reason : thrown, secrets);
        });
      schemas = new Map(offer.tools.map(({ name, inputSchema }) => [name, inputSchema]));
      return offer;
    },

    ...(options.listsAlone
      ? {}
      : {
          meet: (context: ToolContext) =>
            own.use(context, (connection) =>
              connection.use(
                context.signal,
                () => true,
                async () => {},
              ),
            ),
        }),

    async call(tool, input, context): Promise<ToolResult> {
      const result = await request(context, sessionRefused, (client, isOwn, requestOptions) =>
        client.callTool(
          paramsFor(client, { name: tool, arguments: input }, context, isOwn) as never,
          // Without the output schema, so that the SDK does not reject a result that violates it.
          { ...requestOptions, toolDefinition: { name: tool, inputSchema: schemas.get(tool) ?? { type: 'object' } } } as never,
        ),
      );
      return result as unknown as ToolResult;
    },

    async ask(question: SourceQuestion, params, context) {
      return (await request(
        context,
        () => true,
        (client, isOwn, requestOptions) =>
          client.request({ method: question, params: paramsFor(client, params, context, isOwn) } as never, requestOptions as never),
      )) as unknown as JsonObject;
    },

    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },

    watch(uri, listener) {
      const stop = subscriptions.add(uri, listener);
      // Opens the shared connection if needed, and subscribes on it at once.
      shared
        .use(
          AbortSignal.timeout(questionTimeoutMs),
          () => true,
          (client) => subscriptions.connected(client),
        )
        .catch(() => {});
      return stop;
    },

    leave: (connection) => own.closeOf(connection),

    connections() {
      const status = shared.status();
      return [...(status === null ? [] : [{ person: null, ...status }]), ...own.status()];
    },

    async [Symbol.asyncDispose]() {
      listeners.clear();
      subscriptions.clear();
      await Promise.all([shared.close(), own.close()]);
    },
  };
}

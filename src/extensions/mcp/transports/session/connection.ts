/** One connection to an MCP server: made when first needed, made anew after a loss, never used once broken. */
import type { Client, Transport } from '@modelcontextprotocol/client';
import { GatewayError } from '../../../../types/errors.ts';
import type { JsonObject } from '../../../../types/json.ts';
import type { Logger } from '../../../../types/logger.ts';
import type { PeerMethod, SourceConnection } from '../../../../types/tool-source.ts';
import { isConnectionLost, removed, unreachable } from './connection-errors.ts';

/** `legacy` for servers that do not know the stateless protocol; `auto` asks the server first; `modern` knows. */
export type ProtocolEra = 'legacy' | 'auto' | 'modern';

export interface ConnectionOptions {
  /** A new transport for each attempt. */
  transport(): Transport | Promise<Transport>;
  readonly protocol: ProtocolEra;
  /** What this client says that it can do. */
  readonly capabilities: JsonObject;
  /** What the server was given and nobody else may see, also where the server says it again. */
  readonly secrets: readonly string[];
  readonly logger: Logger;
  /** The server says that its tools, resources or prompts changed. */
  readonly onOfferChanged: () => void;
  readonly onNotification: (method: string, params: JsonObject) => void;
  /** The server puts a question to the client. Left out: it may not. */
  readonly onQuestion?: (method: PeerMethod, params: JsonObject, signal: AbortSignal) => Promise<JsonObject>;
  /** A connection was made, for the first time or anew. */
  onConnected?(client: Client): void | Promise<void>;
}

export interface Connection {
  /** Runs `work`; after a lost connection once more on a new one if `mayRepeat` says that nothing was done yet. */
  use<T>(signal: AbortSignal, mayRepeat: (error: unknown) => boolean, work: (client: Client) => Promise<T>): Promise<T>;
  /** Null while there is none. */
  status(): Omit<SourceConnection, 'person'> | null;
  close(): Promise<void>;
}

const connectTimeoutMs = 15_000;
/** A server that cannot be reached is tried again after so long, then ever more patiently. */
const firstBackoffMs = 250;
const longestBackoffMs = 10_000;

/** The connection is everybody's and goes on; only this caller stops waiting for it. */
async function unlessAborted<T>(wanted: Promise<T>, signal: AbortSignal): Promise<T> {
  let leave: () => void = () => {};
  const left = new Promise<never>((_resolve, reject) => {
    leave = () => reject(signal.reason as Error);
    signal.addEventListener('abort', leave, { once: true });
  });
  try {
    return await Promise.race([wanted, left]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

/** Loaded when the first server is connected: the SDK is large, and the gateway should be open before. */
async function newClient(options: ConnectionOptions): Promise<Client> {
  const { Client } = await import('@modelcontextprotocol/client');
  const { protocol, capabilities, onQuestion, onNotification, onOfferChanged } = options;
  // Told at once: the SDK would hold back the news of a server that never stops announcing some. Who listens sees to it that this is no burden.
  const changed = { autoRefresh: false, debounceMs: 0, onChanged: onOfferChanged };
  const client = new Client(
    { name: 'pailou', version: '0.1.0' },
    {
      capabilities,
      versionNegotiation: { mode: protocol === 'modern' ? { pin: '2026-07-28' } : protocol },
      listChanged: { tools: changed, resources: changed, prompts: changed },
      // A question inside a result is the caller's to answer, never this client's.
      inputRequired: { autoFulfill: false },
    },
  );
  // Not its words: a server may say anything, other people's secrets too.
  client.onerror = (error) => options.logger.debug({ error: error.name }, 'MCP connection');
  client.fallbackNotificationHandler = async ({ method, params }) => onNotification(method, (params ?? {}) as JsonObject);
  if (onQuestion !== undefined) {
    // Not `setRequestHandler`: questions and answers pass on as they are, known fields and unknown ones.
    client.fallbackRequestHandler = ({ method, params }, context) =>
      onQuestion(method as PeerMethod, (params ?? {}) as JsonObject, context.mcpReq.signal);
  }
  return client;
}

export function createConnection(options: ConnectionOptions): Connection {
  const closing = new AbortController();
  let connecting: Promise<Client> | null = null;
  /** The client that `connecting` has become; a loss of any other one is no news. */
  let current: Client | null = null;
  let since = 0;
  let callsUnderWay = 0;
  let backoffMs = 0;
  let failedAt = 0;
  let failure: GatewayError | null = null;

  const forget = (client: Client): void => {
    if (current !== client) return;
    current = null;
    connecting = null;
  };

  const drop = (client: Client): void => {
    forget(client);
    client.close().catch(() => {});
  };

  const connect = async (): Promise<Client> => {
    const client = await newClient(options);
    client.onclose = () => forget(client);
    const transport = await options.transport();
    try {
      await client.connect(transport, { timeout: connectTimeoutMs, signal: closing.signal });
    } catch (thrown) {
      await Promise.resolve(transport.close()).catch(() => {});
      throw thrown;
    }
    if (closing.signal.aborted) {
      await client.close();
      throw removed();
    }
    return client;
  };

  const connected = (): Promise<Client> => {
    if (closing.signal.aborted) return Promise.reject(removed());
    if (connecting !== null) return connecting;
    const wait = failedAt + backoffMs - Date.now();
    if (wait > 0)
      return Promise.reject(
        new GatewayError('tool_failed', 'The MCP server could not be reached a moment ago; it is tried again soon.', {
          retryAfterSeconds: wait / 1000,
          details: failure?.details,
        }),
      );
    since = Date.now();
    const attempt = connect().then(
      (client) => {
        backoffMs = 0;
        if (client.transport === undefined) connecting = null;
        else {
          current = client;
          Promise.resolve(options.onConnected?.(client)).catch(() => {});
        }
        return client;
      },
      (thrown: unknown) => {
        if (connecting === attempt) connecting = null;
        // What the caller lacks says nothing of the server: it may be there with the next call.
        const isCallers = thrown instanceof GatewayError && (thrown.code === 'account_required' || thrown.code === 'permission_denied');
        if (isCallers) throw thrown;
        failedAt = Date.now();
        backoffMs = Math.min(Math.max(firstBackoffMs, backoffMs * 2), longestBackoffMs);
        failure = unreachable(thrown, options.secrets);
        throw failure;
      },
    );
    connecting = attempt;
    return attempt;
  };

  return {
    async use(signal, mayRepeat, work) {
      callsUnderWay++;
      try {
        for (let attempt = 1; ; attempt++) {
          signal.throwIfAborted();
          const client = await unlessAborted(connected(), signal);
          try {
            return await work(client);
          } catch (thrown) {
            if (signal.aborted) throw thrown;
            if (!isConnectionLost(thrown)) throw thrown;
            drop(client);
            if (attempt > 1 || !mayRepeat(thrown)) throw unreachable(thrown, options.secrets);
          }
        }
      } finally {
        callsUnderWay--;
      }
    },

    status() {
      if (connecting === null) return null;
      const transport: (Transport & { readonly pid?: number | null }) | undefined = current?.transport;
      return {
        state: current === null ? 'connecting' : 'connected',
        protocol: current?.getNegotiatedProtocolVersion() ?? null,
        pid: transport?.pid ?? null,
        since,
        callsUnderWay,
      };
    },

    async close() {
      closing.abort(removed());
      const client = await connecting?.catch(() => null);
      await client?.close();
    },
  };
}

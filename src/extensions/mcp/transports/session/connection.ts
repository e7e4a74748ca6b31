/** One connection to an MCP server: opened on first use, reopened after a loss, never used once broken. */
import type { Client, Transport } from '@modelcontextprotocol/client';
import { GatewayError } from '../../../../types/errors.ts';
import type { JsonObject } from '../../../../types/json.ts';
import type { Logger } from '../../../../types/logger.ts';
import type { PeerMethod, SourceConnection } from '../../../../types/tool-source.ts';
import { version } from '../../../../types/version.ts';
import { createListingMender, type ListingMender, mendMessages, protocolChecks } from './mended-listing.ts';
import { isConnectionLost, removed, unreachable } from './connection-errors.ts';
import { monotonicNow } from '../../../../scheduling/monotonic-clock.ts';

/** `legacy`: session-based protocol only. `auto`: negotiated with the server. `modern`: stateless protocol only. */
export type ProtocolEra = 'legacy' | 'auto' | 'modern';

export interface ConnectionOptions {
  /** Creates a new transport for each attempt. */
  transport(): Transport | Promise<Transport>;
  readonly protocol: ProtocolEra;
  /** The capabilities that this client declares. */
  readonly capabilities: JsonObject;
  /** Secrets that the server received; redacted in its answers and errors. */
  readonly secrets: readonly string[];
  readonly logger: Logger;
  /** Called on each `list_changed` notification of the server. */
  readonly onOfferChanged: () => void;
  readonly onNotification: (method: string, params: JsonObject) => void;
  /** Answers a request of the server to the client. Without it, the server may not ask. */
  readonly onQuestion?: (method: PeerMethod, params: JsonObject, signal: AbortSignal) => Promise<JsonObject>;
  /** Called after each successful connect. */
  onConnected?(client: Client): void | Promise<void>;
}

/** A transport to a program knows what the program wrote last to its standard error. */
export type SpeakingTransport = Transport & { lastWords?(): string };

export interface Connection {
  /** Runs `work`. After a lost connection, runs it once more on a new one if `mayRepeat` allows that. */
  use<T>(
    signal: AbortSignal,
    mayRepeat: (error: unknown) => boolean,
    work: (client: Client, mender: ListingMender) => Promise<T>,
  ): Promise<T>;
  /** Null while there is no connection. */
  status(): Omit<SourceConnection, 'person'> | null;
  close(): Promise<void>;
}

const connectTimeoutMs = 15_000;
/** Delay before the next attempt to reach a server; doubled after each failure up to the maximum. */
const firstBackoffMs = 250;
const longestBackoffMs = 10_000;

/** Stops waiting when the caller aborts. The shared connection attempt continues. */
async function untilAborted<T>(wanted: Promise<T>, signal: AbortSignal): Promise<T> {
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

/** Loads the SDK with the first connection, because it is large and would delay the start of the gateway. */
async function newClient(options: ConnectionOptions): Promise<Client> {
  const { Client } = await import('@modelcontextprotocol/client');
  const { protocol, capabilities, onQuestion, onNotification, onOfferChanged } = options;
  // No debounce: with it, the SDK would delay notifications of a server that keeps sending them. The catalogue limits how often it syncs.
  const changed = { autoRefresh: false, debounceMs: 0, onChanged: onOfferChanged };
  const client = new Client(
    { name: 'pailou', version },
    {
      capabilities,
      versionNegotiation: { mode: protocol === 'modern' ? { pin: '2026-07-28' } : protocol },
      listChanged: { tools: changed, resources: changed, prompts: changed },
      // A question inside a result is for the caller to answer, never for this client.
      inputRequired: { autoFulfill: false },
    },
  );
  // Only the error's name: a server's text may contain other users' secrets.
  client.onerror = (error) => options.logger.debug({ error: error.name }, 'MCP connection');
  client.fallbackNotificationHandler = async ({ method, params }) => onNotification(method, (params ?? {}) as JsonObject);
  if (onQuestion !== undefined) {
    // Not `setRequestHandler`, which would drop unknown fields of questions and answers.
    client.fallbackRequestHandler = ({ method, params }, context) =>
      onQuestion(method as PeerMethod, (params ?? {}) as JsonObject, context.mcpReq.signal);
  }
  return client;
}

export function createConnection(options: ConnectionOptions): Connection {
  const closing = new AbortController();
  let connecting: Promise<Client> | null = null;
  const menders = new WeakMap<Client, ListingMender>();
  /** The transport of the last connection, for its last words after a loss. */
  let lastTransport: SpeakingTransport | null = null;
  /** The client of the current connection. The loss of an older one is ignored. */
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
    const transport: SpeakingTransport = await options.transport();
    lastTransport = transport;
    const mender = createListingMender(await protocolChecks());
    menders.set(client, mender);
    mendMessages(transport, mender);
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
    const wait = failedAt + backoffMs - monotonicNow();
    if (wait > 0)
      return Promise.reject(
        new GatewayError('tool_failed', 'The last connection to the MCP server failed; the next attempt follows after a pause.', {
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
        // A missing permission or account of the caller is no failure of the server, so no backoff applies.
        const isCallers = thrown instanceof GatewayError && (thrown.code === 'account_required' || thrown.code === 'permission_denied');
        if (isCallers) throw thrown;
        failedAt = monotonicNow();
        backoffMs = Math.min(Math.max(firstBackoffMs, backoffMs * 2), longestBackoffMs);
        failure = unreachable(thrown, options.secrets, lastTransport?.lastWords?.());
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
          const client = await untilAborted(connected(), signal);
          try {
            return await work(client, menders.get(client) as ListingMender);
          } catch (thrown) {
            if (signal.aborted) throw thrown;
            if (!isConnectionLost(thrown)) throw thrown;
            drop(client);
            if (attempt > 1 || !mayRepeat(thrown)) throw unreachable(thrown, options.secrets, lastTransport?.lastWords?.());
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

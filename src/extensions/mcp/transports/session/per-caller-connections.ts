/** Connections of single callers: opened on their first call, closed when idle, bounded in number. */
import { GatewayError } from '../../../../types/errors.ts';
import { personRef } from '../../../../types/person.ts';
import type { JsonObject } from '../../../../types/json.ts';
import type { McpPeer, PeerMethod, SourceConnection, ToolContext } from '../../../../types/tool-source.ts';
import type { Connection } from './connection.ts';
import { monotonicNow } from '../../../../scheduling/monotonic-clock.ts';

/** Handlers of a caller's connection for messages that the server initiates. */
export interface PerCallerHandlers {
  /** The capabilities of the caller's client. */
  readonly capabilities: JsonObject;
  readonly onNotification: (method: string, params: JsonObject) => void;
  readonly onQuestion?: (method: PeerMethod, params: JsonObject, signal: AbortSignal) => Promise<JsonObject>;
}

export interface PerCallerConnections {
  /** Runs `work` on the caller's own connection, which stays open meanwhile. */
  use<T>(context: ToolContext, work: (connection: Connection) => Promise<T>): Promise<T>;
  /** Any open connection, for requests on behalf of no particular caller; null for none. */
  any(): Connection | null;
  /** Closes connections that were opened for this client session. */
  closeOf(connection: string): void;
  status(): SourceConnection[];
  close(): Promise<void>;
}

interface Own {
  readonly connection: Connection;
  /** The owner (`personRef`). */
  readonly person: string;
  readonly client: string | null;
  /** The calls in flight, the latest last. */
  readonly peers: (McpPeer | undefined)[];
  readonly requests: { latest: ToolContext };
  usedAt: number;
}

const idleMs = 300_000;
const sweepMs = 15_000;

function tooMany(most: number): GatewayError {
  return new GatewayError('tool_failed', `All ${most} sessions with this MCP server are in use. Try again soon.`, { retryAfterSeconds: 5 });
}

/** `open` makes a connection that acts for the caller of `context`. It may ask only the client behind `context.peer`. */
export function createPerCallerConnections(options: {
  open(latest: () => ToolContext, handlers: PerCallerHandlers): Connection;
  readonly most: number;
}): PerCallerConnections {
  const owned = new Map<string, Own>();

  const drop = (key: string): void => {
    owned
      .get(key)
      ?.connection.close()
      .catch(() => {});
    owned.delete(key);
  };
  const dropWhere = (unwanted: (own: Own) => boolean): void => {
    for (const [key, own] of owned) if (unwanted(own)) drop(key);
  };
  const sweeper = setInterval(() => dropWhere(({ peers, usedAt }) => peers.length === 0 && usedAt < monotonicNow() - idleMs), sweepMs);
  sweeper.unref();

  const create = (key: string, context: ToolContext): Own => {
    if (owned.size >= options.most) {
      const idlest = [...owned]
        .filter(([, { peers }]) => peers.length === 0)
        .toSorted(([, one], [, other]) => one.usedAt - other.usedAt)[0];
      if (idlest === undefined) throw tooMany(options.most);
      drop(idlest[0]);
    }
    const peers: (McpPeer | undefined)[] = [];
    /** All peers of one connection are the same client; the latest call most likely caused the question. */
    const latest = (): McpPeer | undefined => peers.findLast((peer) => peer !== undefined);
    const requests = { latest: context };
    const connection = options.open(() => requests.latest, {
      capabilities: context.peer?.capabilities ?? {},
      onNotification(method, params) {
        if (method === 'notifications/message') latest()?.log(params);
      },
      ...(context.peer?.ask === undefined
        ? {}
        : {
            async onQuestion(method, params, signal) {
              const ask = latest()?.ask;
              if (ask === undefined) throw new Error('No client can answer: no call is in flight.');
              return ask(method, params, signal);
            },
          }),
    });
    const own: Own = {
      connection,
      person: personRef(context.principal),
      client: context.peer?.connection ?? null,
      peers,
      requests,
      usedAt: monotonicNow(),
    };
    owned.set(key, own);
    return own;
  };

  return {
    async use(context, work) {
      const { issuer, subject, tenant } = context.principal;
      // Only a client that can be asked needs a connection of its own, besides that of its user.
      // A client without a session shares one for its user and declared capabilities.
      const { peer } = context;
      const client = peer?.ask === undefined ? null : (peer.connection ?? JSON.stringify(peer.capabilities));
      const key = JSON.stringify([tenant, issuer, subject, client]);
      const own = owned.get(key) ?? create(key, context);
      own.peers.push(context.peer);
      own.requests.latest = context;
      try {
        return await work(own.connection);
      } finally {
        own.peers.splice(own.peers.indexOf(context.peer), 1);
        own.usedAt = monotonicNow();
      }
    },
    any: () => [...owned.values()].toSorted((one, other) => other.usedAt - one.usedAt)[0]?.connection ?? null,
    closeOf: (client) => dropWhere((own) => own.client === client),
    status: () =>
      [...owned.values()].flatMap(({ connection, person }) => {
        const status = connection.status();
        return status === null ? [] : [{ person, ...status }];
      }),
    async close() {
      clearInterval(sweeper);
      const all = [...owned.values()];
      owned.clear();
      await Promise.all(all.map(({ connection }) => connection.close()));
    },
  };
}

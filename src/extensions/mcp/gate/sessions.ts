/** Sessions of the older protocol (2025-11-25 and before). Each belongs to one caller at one address, and ends after `idleMs` without use. */
import { randomUUID } from 'node:crypto';
import type * as Sdk from '@modelcontextprotocol/server';
import { LRUCache } from 'lru-cache';
import type { McpView } from './mcp-view.ts';
import type { SessionMemory } from './peer.ts';
import { buildServer, type GateParts, type GateServer } from './server.ts';
import { monotonicNow } from '../../../scheduling/monotonic-clock.ts';

export interface SessionInfo {
  readonly id: string;
  readonly holder: string;
  readonly scope: string;
  /** The client's name and version, as it declares them. */
  readonly client: string;
  /** Epoch milliseconds. */
  readonly since: number;
  readonly usedAt: number;
}

/** No session can be ended to make room for another. */
export class TooManySessions extends Error {
  override readonly name = 'TooManySessions';
}

export interface Sessions {
  /** Why the session was ended to make room, if it was; for its holder only. */
  endedWhy(id: string, view: McpView): string | null;
  /** Opens a session for `initialize`, or continues the one that the request names. Null for a session of another caller. */
  serve(request: Request, options: Sdk.McpHandlerRequestOptions, view: McpView): Promise<Response | null>;
  /** Sends `list_changed` to the clients of all sessions. */
  changed(): void;
  list(): readonly SessionInfo[];
  /** Ends the session if it exists. */
  end(id: string): void;
  close(): Promise<void>;
}

interface Session extends SessionMemory {
  readonly holder: string;
  readonly scope: string;
  readonly gate: GateServer;
  readonly transport: Sdk.WebStandardStreamableHTTPServerTransport;
  readonly since: number;
  usedAt: number;
  /** Open requests, including the stream on which a client listens. */
  open: number;
}

const idleMs = 1_800_000;
const sweepMs = 60_000;
const mostOfOne = 100;
const mostOfAll = 10_000;

/** The same response. Calls `ended` when its body has ended or was cancelled. */
function onBodyEnd(response: Response, ended: () => void): Response {
  if (response.body === null) {
    ended();
    return response;
  }
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        ended();
        controller.close();
      } catch (thrown) {
        ended();
        controller.error(thrown);
      }
    },
    async cancel(reason) {
      ended();
      await reader.cancel(reason);
    },
  });
  return new Response(body, { status: response.status, headers: response.headers });
}

/** `onEnd` is called with the id of each session that ends. */
export function createSessions(parts: GateParts, onEnd: (id: string) => void): Sessions {
  const { sdk } = parts;
  const sessions = new Map<string, Session>();
  /** Why sessions were ended for others, for the clients that come back to them. */
  const ended = new LRUCache<string, { readonly holder: string; readonly why: string }>({ max: mostOfAll });

  const end = (session: Session): void => {
    if (sessions.get(session.id) !== session) return;
    sessions.delete(session.id);
    session.gate.forget();
    session.gate.server.close().catch(() => {});
    onEnd(session.id);
  };
  const sweeper = setInterval(() => {
    for (const session of sessions.values()) if (session.open === 0 && session.usedAt < monotonicNow() - idleMs) end(session);
  }, sweepMs);
  sweeper.unref();

  /** Ends the idle session that was not used for longest, of the same holder or of all. Throws TooManySessions where none is idle. */
  const makeRoom = (holder: string): void => {
    const idlestOf = (those: Session[]) => those.filter(({ open }) => open === 0).toSorted((one, other) => one.usedAt - other.usedAt)[0];
    const own = [...sessions.values()].filter((session) => session.holder === holder);
    const candidates = own.length >= mostOfOne ? own : sessions.size >= mostOfAll ? [...sessions.values()] : [];
    if (candidates.length === 0) return;
    const idlest = idlestOf(candidates);
    if (idlest === undefined)
      throw new TooManySessions(
        candidates === own
          ? `You have ${mostOfOne} sessions with open requests here, and no more are opened. Close one with DELETE, or use fewer clients.`
          : 'This node has no room for another session. Try again soon.',
      );
    const why =
      candidates === own
        ? `This session was closed because you opened more than ${mostOfOne}, and it was the one unused for longest. Open a new one with initialize.`
        : 'This session was closed because the node needed room for others. Open a new one with initialize.';
    ended.set(idlest.id, { holder: idlest.holder, why });
    end(idlest);
  };

  const open = async (view: McpView): Promise<Session> => {
    makeRoom(view.holder);
    const id = randomUUID();
    const memory: SessionMemory = { id, logLevel: null };
    const gate = buildServer(parts, memory, { hasSkills: view.skills !== undefined, instructions: await view.instructions?.() });
    const transport = new sdk.WebStandardStreamableHTTPServerTransport({ sessionIdGenerator: () => id });
    const session: Session = Object.assign(memory, {
      holder: view.holder,
      scope: view.scope,
      gate,
      transport,
      since: Date.now(),
      usedAt: monotonicNow(),
      open: 0,
    });
    gate.server.onclose = () => end(session);
    await gate.server.connect(transport);
    return session;
  };

  return {
    async serve(request, requestOptions, view) {
      const id = request.headers.get('mcp-session-id');
      const session = id === null ? await open(view) : sessions.get(id);
      if (session === undefined || session.holder !== view.holder || session.scope !== view.scope) return null;
      if (id === null) sessions.set(session.id, session);
      session.open++;
      session.usedAt = monotonicNow();
      let isOpen = true;
      const requestEnded = (): void => {
        if (!isOpen) return;
        isOpen = false;
        session.open--;
        session.usedAt = monotonicNow();
      };
      try {
        const response = await session.transport.handleRequest(request, requestOptions);
        // A refused `initialize` opens no session.
        if (id === null && !response.ok) end(session);
        return onBodyEnd(response, requestEnded);
      } catch (thrown) {
        requestEnded();
        throw thrown;
      }
    },
    endedWhy(id, view) {
      const known = ended.get(id);
      return known !== undefined && known.holder === view.holder ? known.why : null;
    },
    changed() {
      for (const { gate } of sessions.values()) {
        const { server } = gate;
        if (server.getClientCapabilities() === undefined) continue;
        for (const sent of [server.sendToolListChanged(), server.sendResourceListChanged(), server.sendPromptListChanged()])
          sent.catch(() => {});
      }
    },
    list: () =>
      [...sessions.values()].map(({ id, holder, scope, since, usedAt, gate }) => {
        const client = gate.server.getClientVersion();
        const ago = monotonicNow() - usedAt;
        return {
          id,
          holder,
          scope,
          since,
          usedAt: Date.now() - ago,
          client: client === undefined ? '' : `${client.name} ${client.version}`,
        };
      }),
    end(id) {
      const session = sessions.get(id);
      if (session !== undefined) end(session);
    },
    async close() {
      clearInterval(sweeper);
      await Promise.all([...sessions.values()].map(({ gate }) => gate.server.close().catch(() => {})));
      sessions.clear();
    },
  };
}

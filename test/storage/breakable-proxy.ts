/** A TCP proxy that tests can break: it closes connections, forwards nothing, or forwards late. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface BreakableProxy extends AsyncDisposable {
  readonly port: number;
  /** Closes all connections and refuses new ones. */
  disconnect(): Promise<void>;
  /** Keeps connections open but forwards nothing, as when the far end has vanished. */
  stall(): void;
  /** From now on each packet is forwarded so much later, in order. */
  delay(milliseconds: number): void;
  /** Forwards again; stalled connections are closed. */
  restore(): Promise<void>;
}

export async function startBreakableProxy(target: { readonly host: string; readonly port: number }): Promise<BreakableProxy> {
  const sockets = new Set<Socket>();
  let frozen = false;
  let delayMs = 0;
  let server: Server | null = null;
  let port = 0;

  const breakAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const join = (from: Socket, to: Socket): void => {
    sockets.add(from);
    const late: Buffer[] = [];
    from.on('data', (bytes: Buffer) => {
      if (frozen) return;
      if (delayMs === 0 && late.length === 0) to.write(bytes);
      else {
        late.push(bytes);
        // Each timer sends the oldest packet, so that a shorter delay overtakes none.
        setTimeout(() => to.write(late.shift() ?? ''), delayMs);
      }
    });
    from.on('error', () => {});
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
  };
  const take = (near: Socket): void => {
    const far = connect(target.port, target.host);
    join(near, far);
    join(far, near);
  };
  const listen = async (): Promise<void> => {
    server = createServer(take).listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    ({ port } = address);
  };
  const disconnect = async (): Promise<void> => {
    const closing = server;
    server = null;
    breakAll();
    if (closing !== null) await new Promise((resolve) => closing.close(resolve));
  };

  await listen();
  return {
    get port() {
      return port;
    },
    disconnect,
    stall() {
      frozen = true;
    },
    delay(milliseconds) {
      delayMs = milliseconds;
    },
    async restore() {
      if (frozen) breakAll();
      frozen = false;
      delayMs = 0;
      if (server === null) await listen();
    },
    [Symbol.asyncDispose]: disconnect,
  };
}

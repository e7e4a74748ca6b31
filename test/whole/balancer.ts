/** A plain TCP balancer in front of gateways, as HAProxy in TCP mode is: it asks `/readyz`, and gives new connections to the ready nodes in turn. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Balancer extends AsyncDisposable {
  readonly url: string;
  /** Replaces the nodes. Connections to earlier ones stay. Resolves when each was asked once. */
  serve(urls: readonly string[]): Promise<void>;
  /** The ready nodes. */
  readonly ready: readonly string[];
}

const askEveryMs = 200;

export async function startBalancer(urls: readonly string[]): Promise<Balancer> {
  let nodes = urls;
  let ready: readonly string[] = [];
  let turn = 0;
  const sockets = new Set<Socket>();
  const over = new AbortController();

  const isReady = (url: string): Promise<boolean> =>
    fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5_000) }).then(
      ({ status }) => status === 200,
      () => false,
    );
  const ask = async (): Promise<void> => {
    const asked = nodes;
    const answers = await Promise.all(asked.map(isReady));
    if (asked === nodes) ready = asked.filter((_url, index) => answers[index]);
  };
  const keepAsking = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await ask();
      await sleep(askEveryMs);
    }
  };

  const hold = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  };
  /** A node that does not take the connection is passed over. */
  const forward = (near: Socket, left: readonly string[]): void => {
    const [url, ...rest] = left;
    if (url === undefined || near.destroyed) return void near.destroy();
    const { hostname, port } = new URL(url);
    const far = connect(Number(port), hostname);
    hold(far);
    far.once('error', () => {
      if (far.connecting || far.bytesRead + far.bytesWritten === 0) forward(near, rest);
    });
    far.once('connect', () => {
      near.pipe(far);
      far.pipe(near);
      near.on('close', () => far.destroy());
      far.on('close', () => near.destroy());
    });
  };
  const server = createServer((near) => {
    hold(near);
    const from = turn++ % Math.max(1, ready.length);
    forward(near, [...ready.slice(from), ...ready.slice(0, from)]);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  await ask();
  const asking = keepAsking();
  return {
    url: `http://127.0.0.1:${address.port}`,
    get ready() {
      return ready;
    },
    async serve(others) {
      nodes = others;
      await ask();
    },
    async [Symbol.asyncDispose]() {
      over.abort();
      for (const socket of sockets) socket.destroy();
      server.close();
      await asking;
    },
  };
}

/** A mock vendor on a raw socket whose faults are selected by the model's name. For tests, and by hand with `npm run faults`. */
import { createServer, type Socket } from 'node:net';
import { findBehaviour } from './behaviours.ts';
import { errorBody } from './answers.ts';
import { readRequests, Wire } from './wire.ts';

export interface FaultServer extends AsyncDisposable {
  /** Base URL with /v1. */
  readonly url: string;
  /** Number of calls received, by model. */
  readonly calls: ReadonlyMap<string, number>;
  /** Number of calls whose connection closed before the answer was complete. */
  readonly left: number;
  /** Number of open connections. */
  readonly open: number;
  close(): Promise<void>;
}

export async function startFaultServer(options: { port?: number; host?: string } = {}): Promise<FaultServer> {
  const sockets = new Set<Socket>();
  const calls = new Map<string, number>();
  let left = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    const wire = new Wire(socket);
    let busy = false;
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      if (busy) left++;
    });
    readRequests(socket, ({ body }) => {
      const model = body.model ?? '';
      const before = calls.get(model) ?? 0;
      calls.set(model, before + 1);
      const found = findBehaviour(model);
      if (found === undefined) {
        wire.whole(404, errorBody(`there is no behaviour ${model}`, 'model_not_found'));
        return;
      }
      busy = true;
      Promise.resolve(found.behaviour.run({ wire, stream: body.stream === true, number: found.number, before })).then(
        () => {
          busy = model.startsWith('silent') || model.startsWith('stall');
        },
        () => socket.destroy(),
      );
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, options.host ?? '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the fault server has no port');
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return {
    url: `http://127.0.0.1:${address.port}/v1`,
    calls,
    get left() {
      return left;
    },
    get open() {
      return sockets.size;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

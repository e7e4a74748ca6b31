/** The live memory of a process: collects its garbage first, through Node's inspector. */
import { once } from 'node:events';

/** Megabytes of live objects and buffers of a process that was started with `--inspect`. `output` is its printed text. */
export async function liveMegabytes(output: string): Promise<number> {
  const [address] = /ws:\/\/\S+/.exec(output) ?? [];
  if (address === undefined) throw new Error(`the process has no inspector: ${output}`);
  const socket = new WebSocket(address);
  await once(socket, 'open');
  let asked = 0;
  const ask = async (method: string, params: object = {}): Promise<unknown> => {
    const id = ++asked;
    socket.send(JSON.stringify({ id, method, params }));
    for (;;) {
      const [event] = (await once(socket, 'message')) as [MessageEvent];
      const message = JSON.parse(String(event.data)) as { id?: number; result: unknown };
      if (message.id === id) return message.result;
    }
  };
  try {
    // The second round collects objects that the first one released.
    for (let round = 0; round < 2; round++) await ask('HeapProfiler.collectGarbage');
    const { usedSize, backingStorageSize } = (await ask('Runtime.getHeapUsage')) as { usedSize: number; backingStorageSize: number };
    return Math.round((usedSize + backingStorageSize) / 2 ** 20);
  } finally {
    socket.close();
  }
}

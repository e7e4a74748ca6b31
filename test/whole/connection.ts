/** A client with one connection of its own. */
import { Agent, type IncomingHttpHeaders, request as send } from 'node:http';

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** True when the connection ended before the answer did. */
  readonly isCut: boolean;
}

/** One worker serves all requests of a connection. */
export class Connection {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  ask(method: string, path: string, headers: Record<string, string>, body?: unknown): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? '' : JSON.stringify(body);
      const all = {
        ...headers,
        ...(body === undefined
          ? {}
          : {
              ...(headers['content-type'] === undefined ? { 'content-type': 'application/json' } : {}),
              'content-length': String(Buffer.byteLength(text)),
            }),
      };
      const outgoing = send(`${this.#url}${path}`, { method, agent: this.#agent, headers: all }, (incoming) => {
        let received = '';
        const end = (isCut: boolean) => () =>
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text: received, isCut });
        incoming.setEncoding('utf8').on('data', (part: string) => (received += part));
        incoming.on('end', end(false)).on('error', end(true));
      });
      outgoing.on('error', reject).end(text);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

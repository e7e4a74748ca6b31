/** A server of an attacker: it accepts every request, answers like a token endpoint, and records everything. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface AttackerServer extends AsyncDisposable {
  readonly url: string;
  /** All received headers and bodies, as text. */
  readonly receivedTexts: string[];
  /** True when any of them contains `text`. */
  received(text: string): boolean;
}

export async function startAttackerServer(answer: { readonly status?: number; readonly body?: string } = {}): Promise<AttackerServer> {
  const receivedTexts: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      receivedTexts.push(`${request.method} ${request.url}\n${JSON.stringify(request.headers)}\n${body}`);
      const token = JSON.stringify({ access_token: 'of-the-trap', token_type: 'Bearer', expires_in: 60 });
      response.writeHead(answer.status ?? 200, { 'content-type': 'application/json' }).end(answer.body ?? token);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    receivedTexts,
    received: (text) => receivedTexts.some((each) => each.includes(text)),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

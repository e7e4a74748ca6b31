/** A mock vendor: a real HTTP server in OpenAI's format with scripted behaviour, which records its requests. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export interface VendorRequest {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  // oxlint-disable-next-line no-explicit-any -- tests look into bodies of every shape
  readonly body: any;
  readonly raw: string;
}

export interface Vendor extends AsyncDisposable {
  readonly url: string;
  readonly requests: VendorRequest[];
  /** Connections that the client closed before the answer was complete. */
  aborts: number;
  /** Replaces the behaviour; the default answers `ok`, whole or streamed as requested. */
  behave(handler: (request: VendorRequest, response: ServerResponse) => void | Promise<void>): void;
  /** Closes the port and every connection, as a crash would. */
  kill(): Promise<void>;
}

export function completion(content: string | null, extra: Record<string, unknown> = {}, finish = 'stop'): string {
  return JSON.stringify({
    id: 'v-1',
    object: 'chat.completion',
    created: 1,
    model: 'upstream',
    choices: [{ index: 0, message: { role: 'assistant', content, ...extra }, finish_reason: finish }],
    usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
  });
}

/** The stream of one answer, a chunk for each word. */
export function chunks(words: readonly string[], finish = 'stop'): string[] {
  const chunk = (delta: unknown, reason: string | null = null): string =>
    `data: ${JSON.stringify({ id: 'v-1', object: 'chat.completion.chunk', created: 1, model: 'upstream', choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`;
  const usage = `data: ${JSON.stringify({ id: 'v-1', object: 'chat.completion.chunk', created: 1, model: 'upstream', choices: [], usage: { prompt_tokens: 5, completion_tokens: words.length, total_tokens: 5 + words.length } })}\n\n`;
  return [
    chunk({ role: 'assistant', content: '' }),
    ...words.map((word) => chunk({ content: word })),
    chunk({}, finish),
    usage,
    'data: [DONE]\n\n',
  ];
}

export function answerOk(request: VendorRequest, response: ServerResponse, text = 'ok'): void {
  if (request.body?.stream === true) {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(chunks(text.split(/(?<= )/)).join(''));
    return;
  }
  response.writeHead(200, { 'content-type': 'application/json' }).end(completion(text));
}

export async function startVendor(): Promise<Vendor> {
  let handler: (request: VendorRequest, response: ServerResponse) => void | Promise<void> = (request, response) =>
    answerOk(request, response);
  const requests: VendorRequest[] = [];
  const server: Server = createServer((incoming, response) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      const raw = Buffer.concat(parts).toString();
      const request: VendorRequest = {
        path: incoming.url ?? '',
        headers: incoming.headers,
        raw,
        body: raw === '' || !/json/.test(incoming.headers['content-type'] ?? 'json') ? null : JSON.parse(raw),
      };
      requests.push(request);
      Promise.resolve(handler(request, response)).catch(() => response.destroy());
    });
    response.on('close', () => {
      if (!response.writableFinished) vendor.aborts++;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const kill = async (): Promise<void> => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  const vendor: Vendor = {
    url: `http://127.0.0.1:${address.port}/v1`,
    requests,
    aborts: 0,
    behave(next) {
      handler = next;
    },
    kill,
    [Symbol.asyncDispose]: kill,
  };
  return vendor;
}

/** The baseline of the benchmark: node:http and undici `dispatch` without any logic. Runs as a separate process with the upstream's URL and prints its port. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Dispatcher, Pool } from 'undici';

const pool = new Pool(process.argv[2] ?? '', { connections: 16_384, pipelining: 1, bodyTimeout: 0 });

/** Buffers a whole answer. Forwards a stream chunk by chunk, with backpressure to the upstream when the client does not read. */
class Forward implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse;
  readonly #parts: Buffer[] = [];
  #streamed = false;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#response.on('close', () => {
      if (!this.#response.writableFinished) controller.abort(new Error('the caller left'));
    });
    this.#response.on('drain', () => controller.resume());
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    const type = String(headers['content-type']);
    this.#streamed = type.startsWith('text/event-stream');
    this.#response.statusCode = status;
    this.#response.setHeader('content-type', type);
  }

  onResponseData(controller: Dispatcher.DispatchController, part: Buffer): void {
    if (!this.#streamed) this.#parts.push(part);
    else if (!this.#response.write(part)) controller.pause();
  }

  onResponseEnd(): void {
    const body = this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts);
    if (this.#streamed) this.#response.end();
    else this.#response.end(body);
  }

  onResponseError(_controller: Dispatcher.DispatchController, _error: Error): void {
    this.#response.destroy();
  }
}

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const body = parts.length === 1 ? (parts[0] ?? null) : Buffer.concat(parts);
    pool.dispatch(
      { path: '/v1/chat/completions', method: 'POST', headers: { 'content-type': 'application/json' }, body },
      new Forward(response),
    );
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));

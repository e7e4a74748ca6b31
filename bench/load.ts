/** The load generator: a fixed number of callers, each of which starts its next call when the last one has ended. */
import { type Dispatcher, Pool } from 'undici';

export interface Call {
  /** Default: /v1/chat/completions. */
  readonly path?: string;
  readonly body: Buffer;
  readonly streamed: boolean;
}

export interface Target {
  readonly url: string;
  /** Used in turn. Empty: calls without a token. */
  readonly tokens: readonly string[];
}

export interface LoadResult {
  readonly calls: number;
  /** Number of stream events, without `[DONE]`. */
  readonly chunks: number;
  readonly seconds: number;
  /** Milliseconds of each call, ascending. */
  readonly latencies: readonly number[];
}

/** The last bytes of a stream in each client format. */
const ends = ['data: [DONE]', 'message_stop', 'response.completed'].map((end) => Buffer.from(end));

/** The request with the token whose turn it is. */
export function requestOf({ tokens }: Target, call: Call, turn: number): Dispatcher.DispatchOptions {
  const token = tokens[turn % tokens.length];
  return {
    path: call.path ?? '/v1/chat/completions',
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    body: call.body,
  };
}

export class Answer implements Dispatcher.DispatchHandler {
  chunks = 0;
  /** When the first bytes of the body arrived. */
  firstAt = 0;
  readonly #streamed: boolean;
  readonly #resolve: () => void;
  readonly #reject: (error: Error) => void;
  #status = 0;
  #tail: Buffer = Buffer.alloc(0);

  constructor(streamed: boolean, resolve: () => void, reject: (error: Error) => void) {
    this.#streamed = streamed;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  onRequestStart(): void {}

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.#status = status;
  }

  onResponseData(_controller: Dispatcher.DispatchController, part: Buffer): void {
    if (this.firstAt === 0) this.firstAt = performance.now();
    // The end of a stream may be divided.
    this.#tail = part.length < 512 ? Buffer.concat([this.#tail, part]).subarray(-2_048) : part;
    if (!this.#streamed) return;
    for (let at = part.indexOf('\n\n'); at >= 0; at = part.indexOf('\n\n', at + 2)) this.chunks++;
  }

  onResponseEnd(): void {
    if (this.#status !== 200) this.#reject(new Error(`Status ${this.#status}: ${this.#tail.toString().slice(0, 500)}`));
    else if (this.#streamed && !ends.some((end) => this.#tail.includes(end)))
      this.#reject(new Error(`A stream without its end: ${this.#tail.toString().slice(0, 500)}`));
    else this.#resolve();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#reject(error);
  }
}

/** Keeps `callers` calls in flight for `seconds`, or until `calls` have begun, then waits for the last ones. Rejects if any call fails. */
export async function load(
  target: Target,
  call: Call,
  options: { readonly callers: number; readonly seconds: number; readonly calls?: number },
): Promise<LoadResult> {
  const pool = new Pool(target.url, { connections: options.callers, pipelining: 1 });
  // One request for each token, made before the load.
  const requests = Array.from({ length: Math.max(1, target.tokens.length) }, (_, turn) => requestOf(target, call, turn));
  const most = options.calls ?? Infinity;
  let begun = 0;
  const latencies: number[] = [];
  let chunks = 0;
  const began = performance.now();
  const until = began + options.seconds * 1000;
  const caller = async (): Promise<void> => {
    while (begun < most && performance.now() < until) {
      const start = performance.now();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const answer = new Answer(call.streamed, resolve, reject);
      const request = requests[begun++ % requests.length];
      if (request !== undefined) pool.dispatch(request, answer);
      await promise;
      latencies.push(performance.now() - start);
      // The last event is `[DONE]`.
      if (call.streamed) chunks += answer.chunks - 1;
    }
  };
  try {
    await Promise.all(Array.from({ length: options.callers }, caller));
  } finally {
    await pool.destroy();
  }
  return {
    calls: latencies.length,
    chunks,
    seconds: (performance.now() - began) / 1000,
    latencies: latencies.sort((one, other) => one - other),
  };
}

/** Opens `count` streams that stay open. Resolves when each has sent its first bytes, with a function that closes them. */
export async function openStreams(target: Target, body: Buffer, count: number): Promise<() => Promise<void>> {
  const pool = new Pool(target.url, { connections: count, pipelining: 1, bodyTimeout: 0 });
  const opened = Array.from({ length: count }, (_, index) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    pool.dispatch(requestOf(target, { body, streamed: true }, index), {
      onRequestStart: () => {},
      onResponseStart: (_controller, status) => {
        if (status !== 200) reject(new Error(`Status ${status} for an idle stream.`));
      },
      onResponseData: () => resolve(),
      onResponseEnd: () => reject(new Error('An idle stream ended by itself.')),
      onResponseError: (_controller, error) => reject(error),
    });
    return promise;
  });
  await Promise.all(opened);
  return () => pool.destroy();
}

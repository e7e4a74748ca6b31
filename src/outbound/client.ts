/** The one HTTP client for calls to vendors: pooled connections per origin, guarded addresses, no redirects, no compression. */
import { Readable } from 'node:stream';
import type { buildConnector, Dispatcher, Pool } from 'undici';
import { GatewayError } from '../types/errors.ts';
import { abortError, connectionError } from './connection-errors.ts';
import type { OutboundGuard } from './guard.ts';
import { decodeBody } from './decoded-body.ts';
import { direct, type ProxyChoice } from './environment-proxy.ts';
import { createPoolFactory } from './pools.ts';
import { PushedResponse } from './pushed-response.ts';
import type { Receiver, UpstreamHeaders, UpstreamLink } from './receiver.ts';
import type { ProxyServer } from '../types/proxy.ts';
import { ResponseBody } from './response-body.ts';
import { undici } from './undici.ts';

export interface UpstreamRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** An iterable is streamed part by part. Set `content-length` when the total length is known. */
  readonly body?: Buffer | string | AsyncIterable<Buffer> | null;
  /** Aborts the call at any time, also within the answer. A GatewayError as its reason is what the reader gets. Use one signal per call: its listener stays attached. */
  readonly signal?: AbortSignal | undefined;
  /** Time limit for the response head. Default: ten minutes. */
  readonly headersTimeoutMs?: number;
}

export interface UpstreamResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: UpstreamHeaders;
  /** One item per socket read. The socket pauses while nothing is pulled. Leaving the loop early closes the connection. Throws GatewayError. */
  readonly body: AsyncIterable<Buffer>;
  /** Called when the reader has all it needs although the body may not have ended: makes the connection reusable. */
  release(): void;
}

export type PushedRequest = Pick<UpstreamRequest, 'method' | 'url' | 'headers'> & { readonly body: Buffer | string };

export interface OutboundClient {
  /** Sends a request whose response is pushed to `receiver`, without a promise for each read. Throws when the request cannot be made. */
  push(request: PushedRequest, receiver: Receiver): UpstreamLink;
  /** Resolves with the response head, whatever its status. Rejects with a GatewayError when no head arrived. */
  send(request: UpstreamRequest): Promise<UpstreamResponse>;
  /** For plugins that do their own I/O. Goes through the guard. A redirect is an error, or the response itself with `redirect: 'manual'`. */
  readonly fetch: typeof fetch;
  /** The client whose connections all go through this proxy, or through none. It is closed with this client. */
  via(proxy: ProxyServer | null): OutboundClient;
  close(): Promise<void>;
}

const poolOptions = {
  /** An open stream occupies a connection, and further calls to the origin wait. The limit is far above one team's load on one vendor. */
  connections: 16_384,
  pipelining: 1,
  allowH2: false,
  /** Shorter than the idle limit of most servers and balancers, and long enough to save most handshakes. */
  keepAliveTimeout: 15_000,
  /** The dispatcher limits the time within an answer, because it knows the limits of the model. */
  bodyTimeout: 0,
} as const;

/** Above this number of origins, idle ones are closed. */
const maxPools = 256;
const maxAddresses = 1024;

interface Address {
  readonly origin: string;
  readonly path: string;
}

class CallHandler implements Dispatcher.DispatchHandler {
  readonly #signal: AbortSignal | undefined;
  readonly #resolve: (response: UpstreamResponse) => void;
  readonly #reject: (error: GatewayError) => void;
  #body: ResponseBody | null = null;
  #controller: Dispatcher.DispatchController | null = null;

  constructor(signal: AbortSignal | undefined, resolve: (response: UpstreamResponse) => void, reject: (error: GatewayError) => void) {
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
    signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  readonly #onAbort = (): void => {
    const error = abortError(this.#signal as AbortSignal);
    // A request that waits for a connection has no controller yet. The caller must not wait for one.
    this.#reject(error);
    this.#controller?.abort(error);
  };

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#signal?.aborted === true) controller.abort(abortError(this.#signal));
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: UpstreamHeaders): void {
    if (status < 200) return;
    const body = new ResponseBody(controller);
    this.#body = body;
    this.#resolve({ status, headers, body, release: () => body.release() });
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#body?.add(chunk);
  }

  onResponseEnd(): void {
    this.#controller = null;
    this.#body?.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#controller = null;
    if (this.#body === null) this.#reject(connectionError(error, false));
    else this.#body.fail(connectionError(error, true));
  }
}

/** A bounded cache of URLs split into origin and path: parsing a URL costs more than sending a small request. */
function createAddressParser(): (url: string) => Address {
  const cache = new Map<string, Address>();
  return (text) => {
    const cached = cache.get(text);
    if (cached !== undefined) return cached;
    if (!URL.canParse(text))
      throw new GatewayError('internal_error', 'The provider made an address that is not a URL. Report it with the request id.', {
        details: text,
      });
    const url = new URL(text);
    const address = { origin: url.origin, path: url.pathname + url.search };
    if (cache.size >= maxAddresses) cache.clear();
    cache.set(text, address);
    return address;
  };
}

function asBody(body: UpstreamRequest['body']): string | Buffer | Readable | null {
  if (body === undefined || body === null || typeof body === 'string' || Buffer.isBuffer(body)) return body ?? null;
  return Readable.from(body, { objectMode: false });
}

export interface OutboundClientOptions {
  /** The proxy of an origin. Default: none. */
  readonly proxyOf?: ProxyChoice;
  /** Guards the addresses of these proxies. Default: the guard of the client. */
  readonly proxyGuard?: OutboundGuard;
}

export function createOutboundClient(guard: OutboundGuard, options: OutboundClientOptions = {}): OutboundClient {
  const others = new Map<string, OutboundClient>();
  const via = (proxy: ProxyServer | null): OutboundClient => {
    const key = proxy?.key ?? '';
    let other = others.get(key);
    if (other === undefined) others.set(key, (other = { ...createClient(guard, { proxyOf: () => proxy }), via }));
    return other;
  };
  const client = createClient(guard, options);
  return {
    ...client,
    via,
    async close() {
      await Promise.all([client, ...others.values()].map((each) => each.close()));
    },
  };
}

function createClient(guard: OutboundGuard, { proxyOf = direct, proxyGuard = guard }: OutboundClientOptions): Omit<OutboundClient, 'via'> {
  const connectDirectly = undici.buildConnector({ allowH2: false, timeout: 10_000, lookup: guard.lookup });
  const connect: buildConnector.connector = (options, callback) => {
    try {
      guard.checkHost(options.hostname);
    } catch (error) {
      callback(error as Error, null);
      return;
    }
    connectDirectly(options, callback);
  };
  const openPool = createPoolFactory({ options: poolOptions, connect, proxyOf, proxyGuard, targetGuard: guard });
  const pools = new Map<string, Pool>();
  const agent = new undici.Agent({ ...poolOptions, connect, factory: (origin) => openPool(new URL(origin).origin) });
  const parseAddress = createAddressParser();
  let closed = false;

  const poolFor = (origin: string): Pool => {
    let pool = pools.get(origin);
    if (pool !== undefined) return pool;
    for (const [other, idle] of pools) {
      if (pools.size < maxPools) break;
      if (idle.stats.running > 0 || idle.stats.pending > 0 || idle.stats.queued > 0) continue;
      pools.delete(other);
      idle.close().catch(() => {});
    }
    pool = openPool(origin);
    pools.set(origin, pool);
    return pool;
  };

  const requireOpen = (): void => {
    if (closed) throw new GatewayError('shutting_down', 'This node is stopping. Send the request again; another node will answer.');
  };

  return {
    push({ method, url, headers, body }, receiver) {
      requireOpen();
      const { origin, path } = parseAddress(url);
      const response = new PushedResponse(receiver);
      poolFor(origin).dispatch({ path, method, headers: headers as Record<string, string>, body, headersTimeout: 600_000 }, response);
      return response;
    },

    async send(request) {
      requireOpen();
      const { signal } = request;
      if (signal?.aborted === true) throw abortError(signal);
      const { origin, path } = parseAddress(request.url);
      const response = await new Promise<UpstreamResponse>((resolve, reject) => {
        const call: Dispatcher.DispatchOptions = {
          path,
          method: request.method,
          headers: { ...request.headers, 'accept-encoding': 'identity' },
          body: asBody(request.body),
          headersTimeout: request.headersTimeoutMs ?? 600_000,
        };
        poolFor(origin).dispatch(call, new CallHandler(signal, resolve, reject));
      });
      const encoding = response.headers['content-encoding'];
      return encoding === undefined ? response : { ...response, body: decodeBody(response.body, encoding) };
    },

    fetch: ((input: string | URL, init?: RequestInit) =>
      undici.fetch(input, {
        ...(init as object),
        redirect: init?.redirect === 'manual' ? 'manual' : 'error',
        dispatcher: agent,
      })) as unknown as typeof fetch,

    async close() {
      closed = true;
      const all = [...pools.values(), agent];
      pools.clear();
      await Promise.all(all.map((dispatcher) => dispatcher.destroy()));
    },
  };
}

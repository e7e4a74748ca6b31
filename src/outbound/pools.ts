/** Opens the connection pool of one origin: direct, through a tunnel, or by requests in absolute form (RFC 9112 3.2.2). */
import type { buildConnector, Dispatcher, Pool } from 'undici';
import type { ProxyServer } from '../types/proxy.ts';
import type { ProxyChoice } from './environment-proxy.ts';
import type { OutboundGuard } from './guard.ts';
import { withoutInterim } from './interim-responses.ts';
import { forwardConnector, tunnelConnector } from './proxy-connector.ts';
import { proxyAuthorization, refusedStatus } from './proxy-handshake.ts';
import { undici } from './undici.ts';

/** Turns 407 into an error, because the proxy sent it, not the vendor. */
function withoutProxyLogin(handler: Dispatcher.DispatchHandler, proxy: ProxyServer): Dispatcher.DispatchHandler {
  return {
    onRequestStart: (controller, context) => handler.onRequestStart?.(controller, context),
    onRequestUpgrade: (controller, status, headers, socket) => handler.onRequestUpgrade?.(controller, status, headers, socket),
    onResponseStart(controller, status, headers, text) {
      if (status === 407) controller.abort(refusedStatus(proxy, status));
      else handler.onResponseStart?.(controller, status, headers, text);
    },
    onResponseData: (controller, chunk) => handler.onResponseData?.(controller, chunk),
    onResponseEnd: (controller, trailers) => handler.onResponseEnd?.(controller, trailers),
    onResponseError: (controller, error) => handler.onResponseError?.(controller, error),
  };
}

/** Sends requests for an http:// origin to the proxy. Proxies allow CONNECT to ports of TLS only. */
class ForwardPool extends undici.Pool {
  readonly #origin: string;
  readonly #proxy: ProxyServer;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(origin: string, proxy: ProxyServer, options: Pool.Options) {
    super(origin, options);
    this.#origin = origin;
    this.#proxy = proxy;
    const authorization = proxyAuthorization(proxy);
    this.#headers = authorization === null ? {} : { 'proxy-authorization': authorization };
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const headers = { ...(options.headers as Record<string, string> | null | undefined), ...this.#headers };
    return super.dispatch({ ...options, path: this.#origin + options.path, headers }, withoutProxyLogin(handler, this.#proxy));
  }
}

export function createPoolFactory({
  options,
  connect,
  proxyOf,
  proxyGuard,
  targetGuard,
}: {
  readonly options: Pool.Options;
  /** Connects without a proxy. */
  readonly connect: buildConnector.connector;
  readonly proxyOf: ProxyChoice;
  readonly proxyGuard: OutboundGuard;
  readonly targetGuard: OutboundGuard;
}): (origin: string) => Pool {
  return (origin) => {
    const proxy = proxyOf(origin);
    if (proxy === null) return new undici.Pool(origin, { ...options, connect: withoutInterim(connect) });
    const way = { proxy, proxyGuard, targetGuard };
    const isForwarded = origin.startsWith('http:') && proxy.protocol.startsWith('http') && !targetGuard.pinned;
    return isForwarded
      ? new ForwardPool(origin, proxy, { ...options, connect: withoutInterim(forwardConnector(way)) })
      : new undici.Pool(origin, { ...options, connect: withoutInterim(tunnelConnector(way)) });
  };
}

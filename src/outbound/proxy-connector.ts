/** Opens connections through a proxy. The guard decides about the target as it does without one. */
import { isIP, type Socket } from 'node:net';
import type { buildConnector } from 'undici';
import { type ProxyServer, proxyName } from '../types/proxy.ts';
import type { OutboundGuard } from './guard.ts';
import { ProxyFailure, requestTunnel } from './proxy-handshake.ts';
import { undici } from './undici.ts';

const connectTimeoutMs = 10_000;
/** A company network without public DNS may let a look-up hang. */
const lookupTimeoutMs = 2_000;

export interface ProxyConnectorOptions {
  readonly proxy: ProxyServer;
  /** Guards the proxy's own address. */
  readonly proxyGuard: OutboundGuard;
  readonly targetGuard: OutboundGuard;
}

type Connector = buildConnector.connector;
type Target = Parameters<Connector>[0];

const bare = (host: string): string => host.replace(/^\[|\]$/g, '');

/**
 * The host that the proxy is asked for. A target that the guard pins is asked for by the address that was checked. Any other is asked
 * for by its name. Rejects with BlockedAddress.
 */
async function checkedHost(hostname: string, guard: OutboundGuard): Promise<string> {
  const host = bare(hostname);
  guard.checkTarget(host);
  if (isIP(host) !== 0) return host;
  const { promise, resolve, reject } = Promise.withResolvers<string | null>();
  const timer = setTimeout(() => resolve(null), lookupTimeoutMs);
  guard.lookup(host, { all: false }, (error, address) => {
    if (error === null) resolve(typeof address === 'string' ? address : (address[0]?.address ?? null));
    else if (error.name === 'BlockedAddress') reject(error);
    else resolve(null);
  });
  try {
    const address = await promise;
    return guard.pinned ? (address ?? guard.refuseUnresolved(host)) : host;
  } finally {
    clearTimeout(timer);
  }
}

/** Connects to the proxy itself. */
export function dialProxy({ proxy, proxyGuard }: Pick<ProxyConnectorOptions, 'proxy' | 'proxyGuard'>): () => Promise<Socket> {
  const connect = undici.buildConnector({ allowH2: false, timeout: connectTimeoutMs, lookup: proxyGuard.lookup });
  const protocol = proxy.protocol === 'https:' ? 'https:' : 'http:';
  const { hostname, port } = proxy;
  return () =>
    new Promise((resolve, reject) => {
      const failed = (error: Error): void => {
        const isBlocked = error.name === 'BlockedAddress';
        reject(
          isBlocked
            ? error
            : new ProxyFailure('PROXY_UNREACHABLE', `the proxy ${proxyName(proxy)} cannot be reached: ${error.message}`, error),
        );
      };
      try {
        proxyGuard.checkHost(hostname);
      } catch (thrown) {
        failed(thrown as Error);
        return;
      }
      connect({ hostname, host: hostname, protocol, port: String(port) }, (error, socket) => {
        if (error === null) resolve(socket);
        else failed(error);
      });
    });
}

/** A connector for a tunnel through the proxy. */
export function tunnelConnector(options: ProxyConnectorOptions): Connector {
  const dial = dialProxy(options);
  const secure = undici.buildConnector({ allowH2: false, timeout: connectTimeoutMs });
  const open = async (target: Target): Promise<Socket> => {
    const port = Number(target.port) || (target.protocol === 'https:' ? 443 : 80);
    const host = await checkedHost(target.hostname, options.targetGuard);
    const socket = await dial();
    const timer = setTimeout(() => socket.destroy(new Error('it does not answer')), connectTimeoutMs);
    try {
      await requestTunnel(socket, options.proxy, { host, port });
    } catch (thrown) {
      socket.on('error', () => {}).destroy();
      throw thrown;
    } finally {
      clearTimeout(timer);
    }
    return socket;
  };
  return (target, callback) => {
    open(target).then(
      (socket) => {
        if (target.protocol === 'https:') secure({ ...target, httpSocket: socket }, callback);
        else callback(null, socket);
      },
      (error: Error) => callback(error, null),
    );
  };
}

/** A connector for requests in absolute form, which leads to the proxy itself whatever the target. */
export function forwardConnector(options: ProxyConnectorOptions): Connector {
  const dial = dialProxy(options);
  return (target, callback) => {
    checkedHost(target.hostname, options.targetGuard)
      .then(dial)
      .then(
        (socket) => callback(null, socket),
        (error: Error) => callback(error, null),
      );
  };
}

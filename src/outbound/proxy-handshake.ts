/** Asks a proxy for a connection to a target: HTTP CONNECT (RFC 9110 9.3.6) and SOCKS5 (RFC 1928, RFC 1929). */
import { isIP, type Socket } from 'node:net';
import { type ProxyServer, proxyName } from '../types/proxy.ts';

/** The proxy cannot be reached, or refused the connection. */
export class ProxyFailure extends Error {
  readonly code: 'PROXY_UNREACHABLE' | 'PROXY_LOGIN' | 'PROXY_REFUSED';

  constructor(code: ProxyFailure['code'], message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'ProxyFailure';
    this.code = code;
  }
}

export interface ProxyTarget {
  /** A host name, or an address without brackets. */
  readonly host: string;
  readonly port: number;
}

/** The longest head of an answer to CONNECT, in bytes. */
const mostHeadBytes = 16_384;

/** Reads what the proxy answers, and never more than the answer. */
class AnswerReader {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #ended: Error | null = null;
  #wake: (() => void) | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', this.#onData).on('error', this.#onEnd).on('close', this.#onEnd);
  }

  readonly #onData = (bytes: Buffer): void => {
    this.#received = Buffer.concat([this.#received, bytes]);
    this.#wake?.();
  };
  readonly #onEnd = (error?: unknown): void => {
    this.#ended ??= error instanceof Error ? error : new Error('it closed the connection');
    this.#wake?.();
  };

  /** Resolves with the bytes for which `length` returns their number. It returns null while more are needed. */
  async read(length: (received: Buffer) => number | null): Promise<Buffer> {
    for (;;) {
      const size = length(this.#received);
      if (size !== null && size <= this.#received.length) {
        const taken = this.#received.subarray(0, size);
        this.#received = this.#received.subarray(size);
        return taken;
      }
      if (this.#ended !== null) throw this.#ended;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = null;
    }
  }

  /** Returns the connected socket. Neither HTTP nor TLS lets the target send first. */
  detach(): void {
    this.#socket.off('data', this.#onData).off('error', this.#onEnd).off('close', this.#onEnd).pause();
    if (this.#received.length > 0) throw new Error('it sent bytes after its answer');
  }
}

/** The value of `proxy-authorization`; null without a login. */
export function proxyAuthorization({ login }: ProxyServer): string | null {
  return login === null ? null : `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`;
}

function loginRefused(proxy: ProxyServer): ProxyFailure {
  return new ProxyFailure(
    'PROXY_LOGIN',
    `the proxy ${proxyName(proxy)} ${proxy.login === null ? 'wants a login' : 'does not accept the login'}`,
  );
}

export function refusedStatus(proxy: ProxyServer, status: number): ProxyFailure {
  return status === 407
    ? loginRefused(proxy)
    : new ProxyFailure('PROXY_REFUSED', `the proxy ${proxyName(proxy)} answered with HTTP ${status}`);
}

async function connectByHttp(reader: AnswerReader, socket: Socket, proxy: ProxyServer, { host, port }: ProxyTarget): Promise<void> {
  const target = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  const authorization = proxyAuthorization(proxy);
  const login = authorization === null ? '' : `proxy-authorization: ${authorization}\r\n`;
  socket.write(`CONNECT ${target} HTTP/1.1\r\nhost: ${target}\r\n${login}\r\n`);
  const head = await reader.read((received) => {
    const end = received.indexOf('\r\n\r\n');
    if (end === -1 && received.length > mostHeadBytes) throw new Error('its answer is too long');
    return end === -1 ? null : end + 4;
  });
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(head.toString('latin1'))?.[1];
  if (status === undefined) throw new Error('its answer is not HTTP');
  if (!status.startsWith('2')) throw refusedStatus(proxy, Number(status));
}

const noLogin = 0;
const passwordLogin = 2;

/** The answers of RFC 1928, section 6. */
const socksFailures: Readonly<Record<number, string>> = {
  1: 'failed',
  2: 'does not allow the connection',
  3: 'finds the network unreachable',
  4: 'finds the host unreachable',
  5: 'was refused by the target',
  6: 'waited too long',
};

function socksAddress(host: string): Buffer {
  const family = isIP(host);
  if (family === 4) return Buffer.from([1, ...host.split('.').map(Number)]);
  if (family === 6) {
    const address = new URL(`http://[${host}]`).hostname.slice(1, -1);
    const [front = '', back = ''] = address.split('::');
    const groups = (text: string): number[] => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
    const [before, after] = [groups(front), groups(back)];
    const all = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
    return Buffer.from([4, ...all.flatMap((group) => [group >> 8, group & 255])]);
  }
  const name = Buffer.from(host);
  if (name.length > 255) throw new Error('the host name is too long for SOCKS5');
  return Buffer.concat([Buffer.from([3, name.length]), name]);
}

async function connectBySocks(reader: AnswerReader, socket: Socket, proxy: ProxyServer, { host, port }: ProxyTarget): Promise<void> {
  const { login } = proxy;
  socket.write(Buffer.from(login === null ? [5, 1, noLogin] : [5, 2, noLogin, passwordLogin]));
  const [version, method] = await reader.read(() => 2);
  if (version !== 5) throw new Error('its answer is not SOCKS5');
  if (method === passwordLogin && login !== null) {
    const [user, password] = [Buffer.from(login.user), Buffer.from(login.password)];
    if (user.length > 255 || password.length > 255) throw new Error('the login is too long for SOCKS5');
    socket.write(Buffer.concat([Buffer.from([1, user.length]), user, Buffer.from([password.length]), password]));
    if ((await reader.read(() => 2))[1] !== 0) throw loginRefused(proxy);
  } else if (method !== noLogin) throw loginRefused(proxy);
  socket.write(Buffer.concat([Buffer.from([5, 1, 0]), socksAddress(host), Buffer.from([port >> 8, port & 255])]));
  const answer = await reader.read((received) => {
    if (received.length < 5) return null;
    const kind = received[3];
    return 6 + (kind === 1 ? 4 : kind === 4 ? 16 : 1 + (received[4] ?? 0));
  });
  const code = answer[1] ?? 1;
  if (code !== 0)
    throw new ProxyFailure('PROXY_REFUSED', `the proxy ${proxyName(proxy)} ${socksFailures[code] ?? `answered with code ${code}`}`);
}

/** Resolves when `socket`, which leads to the proxy, leads to the target. Rejects with a ProxyFailure. */
export async function requestTunnel(socket: Socket, proxy: ProxyServer, target: ProxyTarget): Promise<void> {
  const reader = new AnswerReader(socket);
  try {
    await (proxy.protocol.startsWith('socks') ? connectBySocks : connectByHttp)(reader, socket, proxy, target);
    reader.detach();
  } catch (thrown) {
    if (thrown instanceof ProxyFailure) throw thrown;
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new ProxyFailure('PROXY_REFUSED', `the proxy ${proxyName(proxy)} cannot be used: ${why}`, thrown);
  }
}

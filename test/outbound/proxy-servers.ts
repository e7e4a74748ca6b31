/** Real proxies on free ports: HTTP (CONNECT and absolute form) and SOCKS5, with or without a login. */
import { once } from 'node:events';
import { createServer as createHttpServer, request as sendHttp } from 'node:http';
import { type AddressInfo, connect, createServer, isIP, type Server, type Socket } from 'node:net';

export interface ProxyOptions {
  /** `user:password` */
  readonly login?: string;
  /** Where a name leads that this machine cannot resolve. Default: 127.0.0.1. */
  readonly names?: Readonly<Record<string, string>>;
  /** Answers each CONNECT with this status instead. */
  readonly refuses?: number;
}

export interface TestProxy extends AsyncDisposable {
  readonly port: number;
  /** `CONNECT host:port`, `GET http://host/path` or `SOCKS host:port`. */
  readonly seen: string[];
}

const addressOf = (host: string, { names = {} }: ProxyOptions): string =>
  names[host] ?? (isIP(host) === 0 && host !== 'localhost' ? '127.0.0.1' : host);

async function listening(server: Server, seen: string[], sockets: Set<Socket>): Promise<TestProxy> {
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

function join(near: Socket, far: Socket, sockets: Set<Socket>): void {
  sockets.add(far);
  near.on('close', () => far.destroy());
  far.on('close', () => {
    sockets.delete(far);
    near.destroy();
  });
  far.pipe(near);
  near.pipe(far);
}

export function startHttpProxy(options: ProxyOptions = {}): Promise<TestProxy> {
  const seen: string[] = [];
  const sockets = new Set<Socket>();
  const wanted = options.login === undefined ? undefined : `Basic ${Buffer.from(options.login).toString('base64')}`;
  const server = createHttpServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    if (wanted !== undefined && request.headers['proxy-authorization'] !== wanted) {
      response.writeHead(407, { 'proxy-authenticate': 'Basic' }).end('log in');
      return;
    }
    const target = new URL(request.url ?? '');
    const { 'proxy-authorization': _login, ...headers } = request.headers;
    const onward = sendHttp(
      {
        host: addressOf(target.hostname, options),
        port: target.port || 80,
        path: target.pathname + target.search,
        method: request.method,
        headers,
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => response.writeHead(502).end());
    request.pipe(onward);
  });
  server.on('connect', (request, near: Socket, head) => {
    seen.push(`CONNECT ${request.url}`);
    near.on('error', () => {});
    if (options.refuses !== undefined) return void near.end(`HTTP/1.1 ${options.refuses} No\r\n\r\n`);
    if (wanted !== undefined && request.headers['proxy-authorization'] !== wanted)
      return void near.end('HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\n\r\n');
    const target = new URL(`http://${request.url}`);
    const host = target.hostname.replace(/^\[|\]$/g, '');
    const far = connect(Number(target.port || 80), addressOf(host, options));
    far.on('error', () => near.destroy());
    far.on('connect', () => {
      near.write('HTTP/1.1 200 Connection established\r\n\r\n');
      if (head.length > 0) far.write(head);
      join(near, far, sockets);
    });
  });
  return listening(server, seen, sockets);
}

/** The bytes of one message, read step by step. */
async function take(socket: Socket, size: number): Promise<Buffer> {
  for (;;) {
    const bytes = socket.read(size) as Buffer | null;
    if (bytes !== null) return bytes;
    await once(socket, 'readable');
  }
}

export function startSocksProxy(options: ProxyOptions = {}): Promise<TestProxy> {
  const seen: string[] = [];
  const sockets = new Set<Socket>();
  const serve = async (near: Socket): Promise<void> => {
    const [, count = 0] = await take(near, 2);
    const methods = await take(near, count);
    if (options.login !== undefined) {
      if (!methods.includes(2)) return void near.end(Buffer.from([5, 255]));
      near.write(Buffer.from([5, 2]));
      const [, userLength = 0] = await take(near, 2);
      const user = (await take(near, userLength)).toString();
      const [passwordLength = 0] = await take(near, 1);
      const password = (await take(near, passwordLength)).toString();
      const isRight = `${user}:${password}` === options.login;
      near.write(Buffer.from([1, isRight ? 0 : 1]));
      if (!isRight) return void near.end();
    } else near.write(Buffer.from([5, 0]));
    const [, , , kind] = await take(near, 4);
    let host: string;
    if (kind === 1) host = [...(await take(near, 4))].join('.');
    else if (kind === 4) host = `[${(await take(near, 16)).toString('hex').match(/.{4}/g)?.join(':')}]`;
    else host = (await take(near, (await take(near, 1))[0] ?? 0)).toString();
    const port = (await take(near, 2)).readUInt16BE();
    seen.push(`SOCKS ${host}:${port}`);
    if (options.refuses !== undefined) return void near.end(Buffer.from([5, options.refuses, 0, 1, 0, 0, 0, 0, 0, 0]));
    const far = connect(port, addressOf(host.replace(/^\[|\]$/g, ''), options));
    far.on('error', () => near.destroy());
    far.on('connect', () => {
      near.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
      join(near, far, sockets);
    });
  };
  const server = createServer((socket) => void serve(socket).catch(() => socket.destroy()));
  return listening(server, seen, sockets);
}

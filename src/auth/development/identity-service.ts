/** The development identity service: a complete OAuth2 service (discovery, keys, tokens, userinfo, introspection). Refused in production. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GatewayError } from '../../types/errors.ts';
import type { Logger } from '../../types/logger.ts';
import { answerUserinfo } from './jwt-userinfo.ts';
import { answerPersonPage } from './pages.ts';
import { addPersonGrant } from './person-grant.ts';
import { providerConfiguration } from './provider-configuration.ts';
import { loadSigningKey } from './signing-key.ts';

// An import of this module of Node would load its `fetch`, too.
const { createServer } = process.getBuiltinModule('node:http');

export interface IdentityOptions {
  /** 127.0.0.1 or ::1. */
  readonly host: string;
  /** 0 for a free port. */
  readonly port: number;
  /** The folder of the signing key. */
  readonly dataDir: string;
  readonly mode: 'development' | 'production';
  /** The audience of the tokens. */
  readonly gatewayUrl: string;
  /** Where browsers find the gateway, if elsewhere (`PAILOU_PUBLIC_URL`). */
  readonly publicUrl?: string | null;
  readonly logger: Logger;
}

export interface IdentityService {
  readonly issuer: string;
  close(): Promise<void>;
}

const refusal = (message: string, cause?: unknown): GatewayError => new GatewayError('internal_error', message, { cause });

/** Throws in production, on a host other than loopback, and on a taken port. */
export async function startDevelopmentIdentity(options: IdentityOptions): Promise<IdentityService> {
  const { host, logger } = options;
  if (options.mode === 'production')
    throw refusal('The development identity service does not run in production mode. Set PAILOU_OAUTH_ISSUER.');
  if (host !== '127.0.0.1' && host !== '::1') throw refusal('The development identity service listens on loopback only.');
  const server = createServer();
  const [key, library] = await Promise.all([loadSigningKey(options.dataDir), loggingConsole(logger, () => import('oidc-provider'))]);
  await listen(server, options);
  const issuer = `http://${host === '::1' ? '[::1]' : host}:${(server.address() as AddressInfo).port}`;
  const browserUrls = [...new Set([options.gatewayUrl, options.publicUrl ?? options.gatewayUrl])];
  const provider = await loggingConsole(
    logger,
    async () => new library.Provider(issuer, providerConfiguration(key, options.gatewayUrl, browserUrls)),
  ).catch((cause: unknown) => {
    server.close();
    throw refusal(`The development identity service cannot be set up; its key in ${options.dataDir} may be damaged.`, cause);
  });
  addPersonGrant(provider, library.errors, options.gatewayUrl);
  provider.on('server_error', (_context, error) => logger.error({ err: error }, 'the development identity service failed'));
  const handle = provider.callback();
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (!isLocal(request)) {
      response.writeHead(403, { 'content-type': 'text/plain' });
      response.end('The development identity service answers this machine only.\n');
      return;
    }
    answerUserinfo(request, response, key, issuer)
      .then(async (answered) => answered || answerPersonPage(request, response, provider))
      .then((answered) => (answered ? undefined : handle(request, response)))
      .catch((error: unknown) => {
        logger.error({ err: error }, 'the development identity service failed');
        response.destroy();
      });
  });
  return {
    issuer,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const localName = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/i;

/** Refuses foreign hosts (DNS rebinding) and origins: no web page may fetch a token. */
function isLocal({ headers }: IncomingMessage): boolean {
  const { host, origin } = headers;
  return host !== undefined && localName.test(host) && (origin === undefined || localName.test(origin.replace(/^https?:\/\//, '')));
}

async function listen(server: Server, { host, port }: IdentityOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        refusal(
          cause.code === 'EADDRINUSE'
            ? `The port ${port} for the development identity service is taken. Stop the other program, or set PAILOU_IDENTITY_PORT to a free port, e.g. PAILOU_IDENTITY_PORT=${port + 1}.`
            : `The development identity service cannot listen on ${host}:${port} (${cause.code ?? cause.message}). Check PAILOU_IDENTITY_PORT.`,
          cause,
        ),
      ),
    );
    server.listen(port, host, resolve);
  });
}

/** The library logs to the console when it is loaded and set up. This process logs through its logger only. */
async function loggingConsole<T>(logger: Logger, work: () => Promise<T>): Promise<T> {
  const { warn, info } = console;
  const speak = (...words: unknown[]): void => logger.debug({}, words.join(' '));
  Object.assign(console, { warn: speak, info: speak });
  try {
    return await work();
  } finally {
    Object.assign(console, { warn, info });
  }
}

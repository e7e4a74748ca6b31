/** A real OAuth2 service for development: discovery, keys, tokens, userinfo, introspection. Labelled as such; never in production. */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { permissionCodes } from '../../types/access.ts';
import { GatewayError } from '../../types/errors.ts';
import type { Logger } from '../../types/logger.ts';
import { developmentClient, personGrant } from './development-token.ts';
import { MemoryAdapter } from './memory-adapter.ts';
import { people } from './people.ts';
import { addPersonGrant } from './person-grant.ts';

export interface IdentityOptions {
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  readonly mode: 'development' | 'production';
  /** The audience of the tokens. */
  readonly gatewayUrl: string;
  readonly logger: Logger;
}

const tokenSeconds = 8 * 3600;

/** The library greets a runtime newer than itself on the console; this service speaks through the logger alone. */
async function quietly<T>(work: () => Promise<T>): Promise<T> {
  const { warn } = console;
  console.warn = () => {};
  try {
    return await work();
  } finally {
    console.warn = warn;
  }
}

/** The signing key, made once: tokens outlive a restart. */
async function signingKey(dataDir: string): Promise<JWK> {
  const path = join(dataDir, 'development-identity.json');
  try {
    return JSON.parse(await readFile(path, 'utf8')) as JWK;
  } catch {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const key = { ...(await exportJWK(privateKey)), kid: `development-${randomBytes(4).toString('hex')}`, use: 'sig', alg: 'ES256' };
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    await writeFile(path, JSON.stringify(key), { mode: 0o600 });
    return key;
  }
}

/** Throws if asked to run in production, on another host than loopback, or on a taken port. */
export async function startDevelopmentIdentity(options: IdentityOptions): Promise<{ readonly issuer: string; close(): Promise<void> }> {
  if (options.mode === 'production')
    throw new GatewayError('internal_error', 'The development identity service does not run in production mode. Set PAILOU_OAUTH_ISSUER.');
  if (options.host !== '127.0.0.1' && options.host !== '::1')
    throw new GatewayError('internal_error', 'The development identity service listens on loopback only.');
  const issuer = `http://${options.host}:${options.port}`;
  const [key, { default: Provider, errors }] = await Promise.all([signingKey(options.dataDir), quietly(() => import('oidc-provider'))]);
  const scopes = permissionCodes.join(' ');
  const provider = new Provider(issuer, {
    adapter: MemoryAdapter,
    jwks: { keys: [key as never] },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    clients: [
      {
        client_id: developmentClient,
        token_endpoint_auth_method: 'none',
        grant_types: [personGrant],
        redirect_uris: [],
        response_types: [],
        id_token_signed_response_alg: 'ES256',
      },
      {
        client_id: 'development-service',
        client_secret: 'development-service',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        id_token_signed_response_alg: 'ES256',
      },
    ],
    scopes: ['openid', 'profile', ...permissionCodes],
    claims: { openid: ['sub'], profile: ['name', 'roles', 'tenant_id', 'permissions', 'username'] },
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
    ttl: { AccessToken: tokenSeconds, ClientCredentials: tokenSeconds, Grant: tokenSeconds },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      userinfo: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => options.gatewayUrl,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: scopes,
          audience: options.gatewayUrl,
          accessTokenTTL: tokenSeconds,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
    findAccount: (_context: unknown, id: string) => {
      const person = people.find((each) => each.subject === id);
      if (person === undefined) return undefined;
      const { subject, name, roles, tenant, permissions } = person;
      return {
        accountId: id,
        claims: () => ({ sub: subject, name, username: subject, roles: [...roles], tenant_id: tenant, permissions: [...permissions] }),
      };
    },
    extraTokenClaims: (_context, token) => {
      const person = 'accountId' in token ? people.find((each) => each.subject === token.accountId) : undefined;
      return person === undefined
        ? { tenant_id: 'default' }
        : { roles: [...person.roles], tenant_id: person.tenant, username: person.subject };
    },
  });
  provider.on('server_error', (_context: unknown, error: Error) =>
    options.logger.error({ err: error }, 'the development identity service failed'),
  );
  addPersonGrant(provider, errors, options.gatewayUrl);

  const server = createServer(provider.callback());
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        new GatewayError(
          'internal_error',
          cause.code === 'EADDRINUSE'
            ? `The port ${options.port} for the development identity service is taken. Stop the other program, or set PAILOU_IDENTITY_PORT to a free port, e.g. PAILOU_IDENTITY_PORT=8081.`
            : `The development identity service cannot listen on ${issuer} (${cause.code ?? cause.message}).`,
          { cause },
        ),
      ),
    );
    server.listen(options.port, options.host, resolve);
  });
  return {
    issuer,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

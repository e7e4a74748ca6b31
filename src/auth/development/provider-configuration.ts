/** What the development identity service is, in oidc-provider's terms. Plain data and look-ups. */
import { randomBytes } from 'node:crypto';
import type { JWK } from 'jose';
import type { Configuration } from 'oidc-provider';
import { permissionCodes } from '../../types/access.ts';
import { developmentClient, personGrant } from './development-token.ts';
import { createMemoryAdapter } from './memory-adapter.ts';
import { personOf, profileOf } from './people.ts';
import { signingAlgorithm } from './signing-key.ts';

/** A working day, so that nobody has to think of tokens while developing. */
const tokenSeconds = 8 * 3600;

/** A client for client_credentials: `development-service`, with its name as secret. */
const serviceClient = 'development-service';

export function providerConfiguration(key: JWK, gatewayUrl: string): Configuration {
  const noBrowser = { redirect_uris: [], response_types: [], id_token_signed_response_alg: signingAlgorithm } as const;
  return {
    adapter: createMemoryAdapter(),
    jwks: { keys: [key] },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    clients: [
      { ...noBrowser, client_id: developmentClient, token_endpoint_auth_method: 'none', grant_types: [personGrant] },
      { ...noBrowser, client_id: serviceClient, client_secret: serviceClient, grant_types: ['client_credentials'] },
    ],
    scopes: ['openid', 'profile', ...permissionCodes],
    claims: { openid: ['sub'], profile: ['name', 'roles', 'tenant_id', 'permissions', 'username'] },
    enabledJWA: { idTokenSigningAlgValues: [signingAlgorithm] },
    ttl: { AccessToken: tokenSeconds, ClientCredentials: tokenSeconds, Grant: tokenSeconds },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      userinfo: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => gatewayUrl,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: permissionCodes.join(' '),
          audience: gatewayUrl,
          accessTokenTTL: tokenSeconds,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: signingAlgorithm } },
        }),
      },
    },
    findAccount: (_context, id) => {
      const person = personOf(id);
      return person === undefined ? undefined : { accountId: id, claims: () => profileOf(person) };
    },
    extraTokenClaims: (_context, token) => {
      const person = 'accountId' in token ? personOf(token.accountId) : undefined;
      return person === undefined
        ? { tenant_id: 'default' }
        : { roles: [...person.roles], tenant_id: person.tenant, username: person.subject };
    },
  };
}

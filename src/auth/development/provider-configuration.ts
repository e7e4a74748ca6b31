/** The configuration of the development identity service for oidc-provider. */
import { randomBytes } from 'node:crypto';
import type { JWK } from 'jose';
import type { Configuration } from 'oidc-provider';
import { permissionCodes } from '../../types/access.ts';
import { developmentClient, developmentCommandLine, personGrant } from './development-token.ts';
import { createMemoryAdapter } from './memory-adapter.ts';
import { pageLanguage } from './page-texts.ts';
import { codePage, confirmPage, donePage, leavePage, personPage } from './pages.ts';
import { personOf, profileOf } from './people.ts';
import { signingAlgorithm } from './signing-key.ts';

/** A working day, so that tokens do not expire during development. */
const tokenSeconds = 8 * 3600;

/** The gateway's client for browser sign-in. Its secret equals its name: the service answers this machine only. */
export const browserClient = 'pailou-browser';

/** The client for client_credentials: `development-service`, with its name as secret. */
const serviceClient = 'development-service';

/** `gatewayUrl` is the audience of tokens; browsers return to each of `browserUrls`. */
export function providerConfiguration(key: JWK, gatewayUrl: string, browserUrls: readonly string[]): Configuration {
  const noBrowser = { redirect_uris: [], response_types: [], id_token_signed_response_alg: signingAlgorithm } as const;
  return {
    adapter: createMemoryAdapter(),
    jwks: { keys: [key] },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    clients: [
      { ...noBrowser, client_id: developmentClient, token_endpoint_auth_method: 'none', grant_types: [personGrant] },
      {
        client_id: browserClient,
        client_secret: browserClient,
        redirect_uris: browserUrls.map((url) => `${url}/auth/callback`),
        post_logout_redirect_uris: browserUrls.map((url) => `${url}/`),
        response_types: ['code'],
        grant_types: ['authorization_code', 'refresh_token'],
        id_token_signed_response_alg: signingAlgorithm,
      },
      {
        ...noBrowser,
        client_id: developmentCommandLine,
        token_endpoint_auth_method: 'none',
        grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
      },
      { ...noBrowser, client_id: serviceClient, client_secret: serviceClient, grant_types: ['client_credentials'] },
    ],
    scopes: ['openid', 'profile', ...permissionCodes],
    claims: { openid: ['sub'], profile: ['name', 'roles', 'tenant_id', 'permissions', 'username'] },
    enabledJWA: { idTokenSigningAlgValues: [signingAlgorithm] },
    // The functions below match the library's defaults, which log to the console when they are called.
    ttl: {
      AccessToken: tokenSeconds,
      ClientCredentials: tokenSeconds,
      Grant: tokenSeconds,
      Session: tokenSeconds,
      Interaction: tokenSeconds,
    },
    issueRefreshToken: async () => true,
    // Refresh tokens rotate, as strict services do it.
    rotateRefreshToken: true,
    interactions: { url: (_context, interaction) => personPage(interaction.uid) },
    // No consent page: the gateway belongs to the people.
    async loadExistingGrant({ oidc }) {
      const { client, session } = oidc;
      if (client === undefined || session?.accountId === undefined) return undefined;
      const grant = new oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope(['openid', 'profile', ...permissionCodes].join(' '));
      grant.addResourceScope(gatewayUrl, permissionCodes.join(' '));
      await grant.save();
      return grant;
    },
    // Cross-origin requests do not reach this point; the service refuses them earlier.
    clientBasedCORS: () => true,
    renderError: (context, out) => {
      context.type = 'text';
      context.body = `${out.error}: ${out.error_description ?? ''}\n`;
    },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      // A confidential client may introspect every token, a public one its own.
      introspection: {
        enabled: true,
        allowedPolicy: (_context, client, token) => client.clientAuthMethod !== 'none' || token.clientId === client.clientId,
      },
      revocation: { enabled: true, allowedPolicy: (_context, client, token) => token.clientId === client.clientId },
      deviceFlow: {
        enabled: true,
        userCodeInputSource: (context, form, _out, error) => {
          context.body = codePage(pageLanguage(context.get('accept-language')), form, error !== undefined);
        },
        userCodeConfirmSource: (context, form, _client, _device, code) => {
          context.body = confirmPage(pageLanguage(context.get('accept-language')), form, code);
        },
        successSource: (context) => {
          context.body = donePage(pageLanguage(context.get('accept-language')));
        },
      },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (context, form) => {
          context.body = leavePage(pageLanguage(context.get('accept-language')), form);
        },
        postLogoutSuccessSource: (context) => {
          context.body = 'You are signed out.\n';
        },
      },
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

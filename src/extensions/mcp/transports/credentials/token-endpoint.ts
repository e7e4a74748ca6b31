/** Gets tokens from an OAuth2 token endpoint: for Pailou itself (RFC 6749 4.4), or in exchange for a caller's (RFC 8693). */
import type * as OAuth from 'openid-client';
import { GatewayError } from '../../../../types/errors.ts';
import type { Credentials } from './credential-options.ts';

export type ClientCredentials = Extract<Credentials, { readonly type: 'client_credentials' | 'token_exchange' }>;

export interface IssuedToken {
  readonly token: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

export interface TokenEndpoint {
  /** `subject` is the caller's own token, for an exchange. Throws `tool_failed` with the error of the service. */
  fetch(subject: string | null): Promise<IssuedToken>;
}

const timeoutSeconds = 10;
/** Used when the service does not declare `expires_in`. */
const shortLifeSeconds = 300;
const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange';
const accessToken = 'urn:ietf:params:oauth:token-type:access_token';

function failed(cause: unknown): GatewayError {
  const { error, error_description: description } = (cause ?? {}) as { error?: unknown; error_description?: unknown };
  const said = [error, description].filter((each) => typeof each === 'string').join(': ');
  return new GatewayError('tool_failed', 'The OAuth2 service issued no token for this MCP server. Contact your administrator.', {
    cause,
    details: (said === '' && cause instanceof Error ? cause.message : said).slice(0, 500),
  });
}

/** `guarded` is a fetch with the outbound guard. */
export function createTokenEndpoint(options: ClientCredentials, guarded: typeof fetch): TokenEndpoint {
  const { token_url: url, client_id: id, client_secret: secret, client_auth: where, scope, audience, resource } = options;
  let loaded: Promise<{ oauth: typeof OAuth; service: OAuth.Configuration }> | null = null;

  const load = async (): Promise<{ oauth: typeof OAuth; service: OAuth.Configuration }> => {
    const oauth = await import('openid-client');
    const authentication = where === 'basic' ? oauth.ClientSecretBasic(secret) : oauth.ClientSecretPost(secret);
    const service = new oauth.Configuration({ issuer: new URL(url).origin, token_endpoint: url }, id, undefined, authentication);
    service[oauth.customFetch] = guarded as unknown as OAuth.CustomFetch;
    service.timeout = timeoutSeconds;
    // The outbound guard decides whether plain HTTP is allowed.
    oauth.allowInsecureRequests(service);
    return { oauth, service };
  };
  const wanted = {
    ...(scope === undefined ? {} : { scope }),
    ...(audience === undefined ? {} : { audience }),
    ...(resource === undefined ? {} : { resource }),
  };

  return {
    async fetch(subject) {
      const { oauth, service } = await (loaded ??= load());
      try {
        const answer =
          options.type === 'client_credentials'
            ? await oauth.clientCredentialsGrant(service, wanted)
            : await oauth.genericGrantRequest(service, exchangeGrant, {
                ...wanted,
                subject_token: subject ?? '',
                subject_token_type: accessToken,
                requested_token_type: options.requested_token_type,
              });
        return { token: answer.access_token, expiresAt: Date.now() + (answer.expires_in ?? shortLifeSeconds) * 1_000 };
      } catch (cause) {
        throw failed(cause);
      }
    },
  };
}

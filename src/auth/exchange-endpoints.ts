/** The endpoints for token exchange: the token endpoint of the token's issuer, or an address that the operator allows. */
import { GatewayError } from '../types/errors.ts';
import type { TokenExchange } from '../types/token-exchange.ts';
import { createDiscovery, type Discovery } from './discovery.ts';
import type { IssuerSettings } from './issuer.ts';

export interface ExchangeEndpointOptions {
  readonly issuers: readonly IssuerSettings[];
  /** Addresses from the settings, for services that do not issue callers' tokens. */
  readonly allowed: readonly string[];
  readonly fetchFor: (issuer: IssuerSettings) => typeof fetch;
  readonly signal: AbortSignal;
}

const hrefOf = (url: string): string | null => URL.parse(url)?.href ?? null;

const remedy =
  'Name the token endpoint of a configured issuer, as its discovery document has it, or ask the operator to add the address to PAILOU_TOKEN_EXCHANGE_ALLOW.';

export function createExchangeEndpoints({ issuers, allowed, fetchFor, signal }: ExchangeEndpointOptions): TokenExchange {
  const listed = new Set(allowed.map(hrefOf));
  const discovered = new Map<string, Discovery>(
    issuers
      .filter(({ named, keys }) => named && keys.from === 'discovery')
      .map((each) => [each.issuer, createDiscovery({ issuer: each.issuer, baseUrl: each.baseUrl, fetch: fetchFor(each), signal })]),
  );

  /** Null for an issuer without a token endpoint. Rejects while it is unknown. */
  const endpointOf = async (issuer: string): Promise<string | null> => {
    const endpoint = (await discovered.get(issuer)?.known())?.token_endpoint ?? null;
    return endpoint === null ? null : hrefOf(endpoint);
  };

  return {
    async check(url, param) {
      const wanted = hrefOf(url);
      if (listed.has(wanted)) return;
      const answers = await Promise.allSettled([...discovered.keys()].map(endpointOf));
      if (answers.some((answer) => answer.status === 'fulfilled' && answer.value === wanted)) return;
      // A service that is unavailable now is checked again before any token is sent.
      const origin = URL.parse(url)?.origin;
      const silent = [...discovered.keys()].filter((_, index) => answers[index]?.status === 'rejected');
      if (silent.some((issuer) => URL.parse(issuer)?.origin === origin)) return;
      throw new GatewayError('configuration_invalid', `${param}: tokens of callers may not be sent to this address. ${remedy}`, { param });
    },

    async require(url, issuer) {
      const wanted = hrefOf(url);
      if (listed.has(wanted)) return;
      const endpoint = await endpointOf(issuer).catch((cause: unknown) => {
        throw new GatewayError(
          'tool_failed',
          'Your identity service cannot be reached, so it is not known where your token may be exchanged. Try again soon.',
          { cause, retryAfterSeconds: 5 },
        );
      });
      if (endpoint !== null && endpoint === wanted) return;
      throw new GatewayError(
        'permission_denied',
        'Your token is not sent to the OAuth2 service of this MCP server: it is not the token endpoint of the service that made your token. Tell your administrator.',
      );
    },
  };
}

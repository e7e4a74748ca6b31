/** One step of the OAuth2 flow with a server's authorization service, by the MCP SDK. Steps: discovery, registration, authorization URL, code exchange, refresh. */
import type {
  FetchLike,
  OAuthClientInformationContext,
  OAuthClientProvider,
  OAuthDiscoveryState,
  StoredOAuthClientInformation,
  StoredOAuthTokens,
} from '@modelcontextprotocol/client';
import type { Accounts } from '../../../../types/accounts.ts';
import { readBounded } from '../session/bounded-body.ts';
import { isJsonObject, type JsonObject } from '../../../../types/json.ts';

/** Pailou's registration at the service. Without `client_id` it registers itself (RFC 7591), once for all users. */
export interface OAuthClientOptions {
  readonly server: URL;
  readonly client_id?: string | undefined;
  readonly client_secret?: string | undefined;
  readonly scope?: string | undefined;
  readonly accounts: Accounts;
  readonly fetch: typeof fetch;
}

export interface StepInput {
  readonly redirectUri: string;
  readonly state?: string;
  readonly code?: string;
  readonly iss?: string;
  readonly verifier?: string;
  readonly discovery?: OAuthDiscoveryState;
  readonly tokens?: StoredOAuthTokens;
}

/** Either tokens, or the authorization URL for the browser. */
export interface StepResult {
  readonly tokens: StoredOAuthTokens | null;
  readonly address: URL | null;
  readonly verifier: string | null;
  readonly discovery: OAuthDiscoveryState | null;
}

function entryOf(state: JsonObject | undefined, context: OAuthClientInformationContext | undefined): JsonObject | undefined {
  const entry = state?.[context?.issuer ?? ''];
  return isJsonObject(entry) ? entry : undefined;
}

/** Bound on any document or answer of an OAuth2 service. */
const mostBytes = 1_000_000;
const stepMs = 20_000;

/** Reads the answer within bounds and returns it as the platform's Response, the only one that the SDK accepts. */
function plain(guarded: typeof fetch): FetchLike {
  return async (url, init) => {
    const response = await guarded(url, { ...init, redirect: 'error', signal: AbortSignal.timeout(stepMs) });
    const body = await readBounded(response, mostBytes);
    if (body === null) throw new Error(`it answers with more than ${mostBytes} bytes`);
    return new Response(body.length === 0 ? null : new Uint8Array(body), { status: response.status, headers: [...response.headers] });
  };
}

/** Rejects with the error of the SDK or of the service. */
export async function oauthStep(options: OAuthClientOptions, input: StepInput): Promise<StepResult> {
  const { auth } = await import('@modelcontextprotocol/client');
  const { accounts, client_id: id, client_secret: secret, scope } = options;
  let kept = input.tokens;
  let tokens: StoredOAuthTokens | null = null;
  let address: URL | null = null;
  let verifier: string | null = null;
  let discovery: OAuthDiscoveryState | null = input.discovery ?? null;
  const known = id === undefined ? null : { client_id: id, ...(secret === undefined ? {} : { client_secret: secret }) };
  const provider: OAuthClientProvider = {
    redirectUrl: input.redirectUri,
    clientMetadata: {
      client_name: 'Pailou',
      redirect_uris: [input.redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      ...(scope === undefined ? {} : { scope }),
    },
    state: () => input.state ?? '',
    async clientInformation(context) {
      if (known !== null) return known;
      const entry = entryOf((await accounts.read(null))?.state, context);
      // A registration holds for one redirect URI. Under another address, Pailou registers again.
      return entry?.['redirect_uri'] === input.redirectUri
        ? (entry['client'] as unknown as StoredOAuthClientInformation | undefined)
        : undefined;
    },
    ...(known === null
      ? {
          async saveClientInformation(client: StoredOAuthClientInformation, context?: OAuthClientInformationContext) {
            const registered = await accounts.read(null);
            const entry = { client, redirect_uri: input.redirectUri } as unknown as JsonObject;
            await accounts.write(null, { ...registered?.state, [context?.issuer ?? '']: entry }, registered?.version ?? 0);
          },
        }
      : {}),
    tokens: () => kept,
    saveTokens: (given) => void (tokens = given),
    redirectToAuthorization: (given) => void (address = given),
    saveCodeVerifier: (given) => void (verifier = given),
    codeVerifier: () => input.verifier ?? '',
    saveDiscoveryState: (given) => void (discovery = given),
    discoveryState: () => input.discovery,
    async invalidateCredentials(what) {
      if (what === 'all' || what === 'tokens') kept = undefined;
      if ((what === 'all' || what === 'client') && known === null) await accounts.remove(null);
    },
  };
  await auth(provider, {
    serverUrl: options.server,
    fetchFn: plain(options.fetch),
    ...(scope === undefined ? {} : { scope }),
    ...(input.code === undefined ? {} : { authorizationCode: input.code }),
    ...(input.iss === undefined ? {} : { iss: input.iss }),
  });
  return { tokens, address, verifier, discovery };
}

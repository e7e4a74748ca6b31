/** Composes authentication: issuers, tokens, API keys and browser sessions. */
import { join } from 'node:path';
import { developmentCommandLine } from './development/development-token.ts';
import type { BrowserAuth, CommandLineAuth } from './sign-in/browser-auth.ts';
import { type Authenticator, createAuthenticator } from './authenticator.ts';
import { createCredentials, type Credentials } from './credentials.ts';
import { developmentIssuer } from './issuer-presets.ts';
import type { IssuerSettings } from './issuer.ts';
import { issuerFetch } from './issuer-fetch.ts';
import { issuersFromSettings } from './issuers.ts';
import { createMcpAuthorization, type McpAuthorization } from './mcp-sign-in/authorization.ts';
import { createMcpClients, type McpClients } from './mcp-sign-in/clients.ts';
import { createApiKeyAuthenticator } from './api-key-authenticator.ts';
import { createKeyExchange, type KeyExchange } from './api-key-exchange.ts';
import { createCurrentPeople } from './current-people.ts';
import { createCookieJar } from './sign-in/cookies.ts';
import { createSessions } from './sign-in/sessions.ts';
import type { Settings } from '../config/settings.ts';
import { createOutboundClient } from '../outbound/client.ts';
import { createOperatorGuard } from '../outbound/compose-outbound.ts';
import type { OutboundGuard } from '../outbound/guard.ts';
import type { Database } from '../storage/database.ts';
import { createApiKeyUsage, type ApiKeyUsage } from '../storage/api-key-usage.ts';
import { createPeople, type People, type Person } from '../storage/people.ts';
import { createRevocations, type Revocations } from '../storage/revocations.ts';
import { createSecretBox, derivedKey, derivedKeys, type MasterKeys } from '../storage/secret-box.ts';
import { createSessionStore } from '../storage/session-store.ts';
import type { Logger } from '../types/logger.ts';
import { GatewayError } from '../types/errors.ts';
import type { TokenExchange } from '../types/token-exchange.ts';
import { createExchangeEndpoints } from './exchange-endpoints.ts';

export interface IssuerParts {
  readonly settings: Settings;
  readonly logger: Logger;
  /** The public URL of this gateway, for tokens and browsers. */
  readonly url: string;
  readonly owned: AsyncDisposableStack;
}

export interface AuthParts extends IssuerParts {
  readonly issuers: readonly IssuerSettings[];
  readonly database: Database;
  readonly master: MasterKeys;
  /** For metadata documents of MCP clients. */
  readonly untrusted: { readonly guard: OutboundGuard; readonly fetch: typeof fetch };
}

export interface Identity {
  readonly issuers: readonly IssuerSettings[];
  readonly credentials: Credentials;
  /** Null when browser sign-in is not configured. */
  readonly browser: BrowserAuth | null;
  /** The sign-in of MCP clients; null when it is off. */
  readonly mcpSignIn: { readonly clients: McpClients; readonly authorization: McpAuthorization; readonly browser: BrowserAuth } | null;
  /** Null when keys are not exchanged. */
  readonly exchange: KeyExchange | null;
  /** The sign-in of `pailou login`; null when not available. */
  readonly commandLine: CommandLineAuth | null;
  readonly apiKeyUsage: ApiKeyUsage;
  /** Known people, without those who are blocked. */
  readonly people: Pick<People, 'find'>;
  readonly revocations: Revocations;
  /** Verifies an issuer's logout token. */
  readonly verifyLogout: Authenticator['verifyLogout'];
  readonly explainToken: Authenticator['explain'];
  /** The endpoints at which callers' tokens may be exchanged. */
  readonly tokenExchange: TokenExchange;
}

export async function composeAuth(parts: AuthParts): Promise<Identity> {
  const { settings, logger, database, issuers, owned } = parts;
  // The company's service may have any address of its network, except cloud metadata addresses.
  const client = createOutboundClient(createOperatorGuard(), { proxyOf: settings.proxyOf });
  const fetchFor = issuerFetch(client);
  owned.defer(() => client.close());
  const people = createPeople({ database, logger });
  owned.use(people);
  const apiKeyUsage = createApiKeyUsage({ database, logger });
  owned.use(apiKeyUsage);
  const revocations = await createRevocations({ database, path: join(settings.dataDir, 'blocked-people.json'), logger });
  owned.use(revocations);
  const authenticator = createAuthenticator({ issuers, logger, onVerified: (principal) => people.saw(principal), fetchFor });
  owned.defer(() => authenticator.close());
  const { personIssuers } = authenticator;
  const current =
    personIssuers.size === 0
      ? people
      : createCurrentPeople({ people, issuers: personIssuers, lookUp: (person) => authenticator.lookUpPerson(person) });
  const apiKeys = createApiKeyAuthenticator({
    people: current,
    ownerMs: settings.keyOwnerHours * 3_600_000,
    onUse: (id, at) => apiKeyUsage.used(id, at),
  });
  const browser = await composeBrowserAuth(parts, issuers, authenticator, fetchFor);
  const exchange = settings.apiKeys === 'exchange' ? createKeyExchange({ apiKeys, keys: derivedKeys(parts.master, 'key exchange') }) : null;
  const credentials = createCredentials({
    authenticator,
    apiKeys: settings.apiKeys === 'on' ? apiKeys : null,
    exchange,
    browser,
    isBlocked: (principal) => revocations.isBlocked(principal),
    tokenHeader: settings.oauth.tokenHeader,
  });
  const mcpSignIn = settings.mcpSignIn ? composeMcpSignIn(parts, browser) : null;
  const closing = new AbortController();
  owned.defer(() => closing.abort());
  const tokenExchange = createExchangeEndpoints({
    issuers,
    allowed: settings.tokenExchangeAllow,
    fetchFor,
    signal: closing.signal,
  });
  const unblocked = (person: Person | null): Person | null => (person !== null && revocations.isBlocked(person) ? null : person);
  revocations.onChange(() => browser?.sessions.forgetAll());
  return {
    tokenExchange,
    issuers,
    credentials,
    browser,
    mcpSignIn,
    exchange,
    commandLine: composeCommandLineAuth(settings, issuers),
    apiKeyUsage,
    people: {
      find(issuer, subject) {
        const found = current.find(issuer, subject);
        return found instanceof Promise ? found.then(unblocked) : unblocked(found);
      },
    },
    revocations,
    verifyLogout: (token) => authenticator.verifyLogout(token),
    explainToken: (token, onStep) => authenticator.explain(token, onStep),
  };
}

/** The configured issuers, or the development identity service when none is configured. */
export async function configuredIssuers({ settings, logger, url, owned }: IssuerParts): Promise<readonly IssuerSettings[]> {
  const configured = await issuersFromSettings(settings.oauth);
  if (configured.length > 0) return configured;
  const { startDevelopmentIdentity } = await import('./development/identity-service.ts');
  const identity = await startDevelopmentIdentity({
    host: '127.0.0.1',
    port: settings.identityPort,
    dataDir: settings.dataDir,
    mode: settings.mode,
    gatewayUrl: url,
    publicUrl: settings.publicUrl,
    logger,
  });
  owned.defer(() => identity.close());
  return [developmentIssuer(identity.issuer, url)];
}

/** Throws `configuration_invalid` without a browser sign-in. */
function composeMcpSignIn({ settings, url, master, untrusted }: AuthParts, browser: BrowserAuth | null): Identity['mcpSignIn'] {
  if (browser === null)
    throw new GatewayError(
      'configuration_invalid',
      'PAILOU_MCP_SIGN_IN: people must be able to sign in with a browser. Set PAILOU_OAUTH_CLIENT_ID and PAILOU_OAUTH_CLIENT_SECRET, or leave it out.',
      { param: 'PAILOU_MCP_SIGN_IN' },
    );
  const box = createSecretBox(derivedKeys(master, 'mcp sign-in'));
  return {
    clients: createMcpClients({ box, ...untrusted }),
    authorization: createMcpAuthorization({ box, publicUrl: settings.publicUrl ?? url }),
    browser,
  };
}

function isDiscovered({ named, keys }: IssuerSettings): boolean {
  return named && keys.from === 'discovery';
}

function composeCommandLineAuth({ oauth }: Settings, issuers: readonly IssuerSettings[]): CommandLineAuth | null {
  const issuer = issuers.find(isDiscovered);
  const development = oauth.issuer === null && oauth.file === null;
  const clientId = development ? developmentCommandLine : oauth.cliClientId;
  if (issuer === undefined || clientId === null) return null;
  return { issuer: issuer.issuer, client_id: clientId, scope: issuer.client?.scope ?? oauth.scope ?? 'openid profile' };
}

/** Sign-in uses the first issuer that publishes its endpoints and has a client for Pailou. */
async function composeBrowserAuth(
  { settings, logger, url, database, master }: AuthParts,
  issuers: readonly IssuerSettings[],
  authenticator: Authenticator,
  fetchFor: (issuer: IssuerSettings) => typeof fetch,
): Promise<BrowserAuth | null> {
  const issuer = issuers.find((each) => each.client !== null && isDiscovered(each));
  if (issuer === undefined) return null;
  const { createSignIn } = await import('./sign-in/sign-in.ts');
  const publicUrl = settings.publicUrl ?? url;
  const box = (purpose: string) => createSecretBox(derivedKeys(master, purpose));
  const signIn = createSignIn({ settings: issuer, publicUrl, box: box('sign-in'), fetch: fetchFor(issuer), logger });
  const store = createSessionStore(database, box('sessions'));
  const sessions = createSessions({ store, signIn, authenticator, csrfKey: derivedKey(master.current, 'csrf') });
  return { signIn, sessions, jar: createCookieJar(publicUrl) };
}

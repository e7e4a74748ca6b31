/** A real OAuth2 service on a free port for tests: it counts its requests and can be made to fail in many ways. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import type { IssuerSettings } from '../../src/auth/issuer.ts';
import { issuerPresets } from '../../src/auth/issuer-presets.ts';
import type { Logger } from '../../src/types/logger.ts';

export const audience = 'https://gate.example';

/** Pailou's own client at the service. */
export const serviceClient = { id: 'pailou', secret: 'client-secret' };
const clientBasic = `Basic ${Buffer.from(`${serviceClient.id}:${serviceClient.secret}`).toString('base64')}`;

export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silentLogger };

export interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

export async function makeKey(kid: string, alg = 'ES256'): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

export interface OauthService extends AsyncDisposable {
  readonly issuer: string;
  readonly port: number;
  /** Requests so far, by path. */
  readonly hits: Map<string, number>;
  /** The forms sent to `/token`, oldest first. */
  readonly exchanges: URLSearchParams[];
  /** The keys that `/jwks` returns. */
  keys: JWK[];
  /** The answer of `/userinfo`: a body, or only a status. */
  userinfo: { status: number; body: unknown };
  /** What `/people/<subject>` answers to the client `pailou` with its own token. Other subjects are unknown there (404). */
  readonly people: Map<string, unknown>;
  /** The tokens of that client, by the client credentials grant, which are still accepted. */
  readonly clientTokens: Set<string>;
  /** Answers every request 500. */
  broken: boolean;
  /** Accepts requests and never answers. */
  stuck: boolean;
  /** Delays each answer until this resolves. */
  delay: Promise<void> | null;
  /** Serves the document of RFC 8414 in place of OpenID Connect's. */
  withoutOpenId: boolean;
  stop(): Promise<void>;
  restart(): Promise<void>;
  /** A valid access token of this service, except for the given changes. An undefined claim is left out. */
  sign(key: SigningKey, claims?: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>;
}

export async function startOauthService(keys: readonly SigningKey[]): Promise<OauthService> {
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? '';
    service.hits.set(path, (service.hits.get(path) ?? 0) + 1);
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    if (service.stuck) return;
    if (service.delay !== null) await service.delay;
    if (service.broken) return answer(500, { error: 'broken' });
    const document = {
      issuer: service.issuer,
      jwks_uri: `${service.issuer}/jwks`,
      userinfo_endpoint: `${service.issuer}/userinfo`,
      token_endpoint: `${service.issuer}/token`,
    };
    if (path === '/.well-known/openid-configuration' && !service.withoutOpenId) return answer(200, document);
    if (path === '/.well-known/oauth-authorization-server') return answer(200, document);
    if (path === '/jwks') return answer(200, { keys: service.keys });
    if (path === '/token') {
      let text = '';
      request.on('data', (part: Buffer) => (text += part.toString()));
      request.on('end', () => {
        const form = new URLSearchParams(text);
        if (form.get('grant_type') === 'client_credentials') {
          if (request.headers.authorization !== clientBasic) return answer(401, { error: 'invalid_client' });
          const token = `client-${service.hits.get(path)}`;
          service.clientTokens.add(token);
          return answer(200, { access_token: token, token_type: 'Bearer', expires_in: 300 });
        }
        service.exchanges.push(form);
        answer(200, {
          access_token: `exchanged-${service.exchanges.length}`,
          token_type: 'Bearer',
          expires_in: 300,
          issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        });
      });
      return;
    }
    if (path.startsWith('/people/')) {
      if (!service.clientTokens.has(request.headers.authorization?.replace('Bearer ', '') ?? '')) return answer(401, {});
      const person = service.people.get(decodeURIComponent(path.slice('/people/'.length)));
      return person === undefined ? answer(404, {}) : answer(200, person);
    }
    if (path === '/userinfo') return answer(service.userinfo.status, service.userinfo.body);
    answer(404, {});
  };
  const server = createServer((request, response) => void serve(request, response));
  const listen = (port: number): Promise<void> => new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const service: OauthService = {
    issuer: `http://127.0.0.1:${port}`,
    port,
    hits: new Map(),
    exchanges: [],
    keys: keys.map((key) => key.publicJwk),
    userinfo: { status: 200, body: { sub: 'ulla' } },
    people: new Map(),
    clientTokens: new Set(),
    broken: false,
    stuck: false,
    delay: null,
    withoutOpenId: false,
    stop,
    restart: () => listen(port),
    async sign(key, claims = {}, header = {}) {
      const now = Math.floor(Date.now() / 1000);
      const all = {
        iss: service.issuer,
        sub: 'ulla',
        aud: audience,
        iat: now,
        exp: now + 600,
        jti: String(Math.random()),
        roles: ['user'],
        scope: 'llm:model:use llm:model:view',
        ...claims,
      };
      const kept = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
      return new SignJWT(kept).setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'at+jwt', ...header }).sign(key.privateKey);
    },
    [Symbol.asyncDispose]: stop,
  };
  return service;
}

/** Settings for tokens of `issuer` that are meant for this gateway: the preset `generic` unless changed. */
export function settingsFor(issuer: string, changes: Partial<IssuerSettings> = {}): IssuerSettings {
  const generic = issuerPresets['generic'];
  if (generic === undefined) throw new Error('no preset generic');
  const { what: _what, ...preset } = generic;
  return { issuer, baseUrl: issuer, client: null, audiences: [audience], allowedClients: [], ...preset, ...changes };
}

export const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` });

export const part = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** A token with a valid ES256 signature and any header and body, including those that jose refuses to write. */
export async function signAnything(key: SigningKey, header: unknown, body: unknown): Promise<string> {
  const input = `${part(header)}.${part(body)}`;
  const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key.privateKey, Buffer.from(input));
  return `${input}.${Buffer.from(signature).toString('base64url')}`;
}

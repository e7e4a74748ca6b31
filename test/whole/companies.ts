/** A gateway with a mock OAuth2 service that issues tokens for any user, roles and tenant. */
import { rm } from 'node:fs/promises';
import type { Role } from '../../src/types/access.ts';
import { audience, makeKey, type OauthService, type SigningKey, startOauthService } from '../auth/oauth-service.ts';
import { startPailou } from '../../src/main.ts';
import { type Answer, startGateway, type TestGateway } from './gateway.ts';

export interface Person {
  readonly subject: string;
  readonly tenant: string;
  readonly roles: readonly string[];
  /** The permission codes of the token; by default those of the first role. */
  readonly codes?: readonly string[];
}

export interface Companies extends AsyncDisposable {
  /** A new gateway after `restart`. */
  readonly gateway: TestGateway;
  /** Stops the gateway and starts it again on the same data. */
  restart(): Promise<void>;
  readonly service: OauthService;
  readonly signer: SigningKey;
  /** A token of `person`, the same each time. */
  tokenOf(person: Person): Promise<string>;
  as(person: Person, method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Sends a request with any credential. */
  with(credential: string, method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** As `as`; throws unless the answer is a success. */
  must(person: Person, method: string, path: string, body?: unknown): Promise<Answer>;
  keyOf(person: Person, body?: object): Promise<{ readonly id: string; readonly key: string }>;
  /** Grants every developer of the tenant the use of the provider in their own models. */
  lend(provider: string, tenant?: string): Promise<void>;
}

const usual: Readonly<Record<Role, string>> = {
  admin: 'llm:*:*',
  developer: 'llm:*:*',
  user: 'llm:*:view llm:*:use',
  viewer: 'llm:*:view',
};

/** The administrator of `tenant`. */
export const chiefOf = (tenant: string): Person => ({ subject: `chief-of-${tenant}`, tenant, roles: ['admin'] });

/** `start`: `startProcess` for a separate process. */
export async function startCompanies(
  extra: Record<string, string> = {},
  start: Parameters<typeof startGateway>[1] = startPailou,
): Promise<Companies> {
  const signer = await makeKey('k1');
  const service = await startOauthService([signer]);
  const env = { PAILOU_OAUTH_ISSUER: service.issuer, PAILOU_OAUTH_PRESET: 'generic', PAILOU_OAUTH_AUDIENCE: audience, ...extra };
  let gateway = await startGateway(env, start).catch(async (thrown: unknown) => {
    await service.stop();
    throw thrown;
  });
  const tokens = new Map<Person, Promise<string>>();
  const tokenOf = (person: Person): Promise<string> => {
    let token = tokens.get(person);
    if (token === undefined) {
      const { subject, tenant, roles, codes } = person;
      const scope = codes?.join(' ') ?? usual[roles[0] as Role] ?? '';
      tokens.set(person, (token = service.sign(signer, { sub: subject, tenant_id: tenant, roles, scope })));
    }
    return token;
  };
  let restarted = false;
  const companies: Companies = {
    get gateway() {
      return gateway;
    },
    async restart() {
      await gateway.gateway.close(2_000);
      gateway = await startGateway({ ...gateway.env, PAILOU_DATA_DIR: gateway.dataDir }, start);
      restarted = true;
    },
    service,
    signer,
    tokenOf,
    as: async (person, method, path, body, headers = {}) => companies.with(await tokenOf(person), method, path, body, headers),
    with: (credential, method, path, body, headers = {}) =>
      gateway.as(null, method, path, body, { authorization: `Bearer ${credential}`, ...headers }),
    async must(person, method, path, body) {
      const answer = await companies.as(person, method, path, body);
      if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
      return answer;
    },
    async keyOf(person, body = {}) {
      const { json } = await companies.must(person, 'POST', '/api/keys', body);
      return json as { id: string; key: string };
    },
    async lend(provider, tenant = 'acme') {
      const spec = { subject_type: 'role', subject: 'developer', capability: `provider/${provider}`, action: 'use' };
      await companies.must(chiefOf(tenant), 'POST', '/api/grants', { spec });
    },
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      if (restarted && extra['PAILOU_DATA_DIR'] === undefined) await rm(gateway.dataDir, { recursive: true, force: true });
      await service.stop();
    },
  };
  return companies;
}

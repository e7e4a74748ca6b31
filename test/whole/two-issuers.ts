/** A gateway with two OAuth2 services that share subjects: the company's own, and a partner's. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { audience, makeKey, type OauthService, type SigningKey, startOauthService } from '../auth/oauth-service.ts';
import { type Answer, startGateway, type TestGateway } from './gateway.ts';

export interface TwoIssuers extends AsyncDisposable {
  readonly gateway: TestGateway;
  readonly company: OauthService;
  readonly partner: OauthService;
  /** Sends a request as this subject of that service, by default in the tenant `company`. */
  as(
    service: 'company' | 'partner',
    subject: string,
    method: string,
    path: string,
    body?: unknown,
    claims?: Record<string, unknown>,
  ): Promise<Answer>;
  with(credential: string, method: string, path: string, body?: unknown): Promise<Answer>;
  /** `<issuer>#<subject>`. */
  ref(service: 'company' | 'partner', subject: string): string;
}

/** `partnerSpec`: more about the partner's service. `extra`: more of the environment. */
export async function startTwoIssuers(partnerSpec: object = {}, extra: Record<string, string> = {}): Promise<TwoIssuers> {
  const signer = await makeKey('k1');
  const services = { company: await startOauthService([signer]), partner: await startOauthService([signer]) };
  const folder = await mkdtemp(join(tmpdir(), 'pailou-issuers-'));
  const file = join(folder, 'oauth.json');
  const spec = { preset: 'generic', audiences: [audience] };
  const issuers = [
    { issuer: services.company.issuer, ...spec },
    { issuer: services.partner.issuer, ...spec, ...partnerSpec },
  ];
  await writeFile(file, JSON.stringify({ issuers }));
  const gateway = await startGateway({ PAILOU_OAUTH_SERVICES: file, ...extra });
  const withCredential: TwoIssuers['with'] = (credential, method, path, body) =>
    gateway.as(null, method, path, body, { authorization: `Bearer ${credential}` });
  return {
    gateway,
    ...services,
    with: withCredential,
    async as(service, subject, method, path, body, claims = {}) {
      return withCredential(await tokenOf(services[service], signer, subject, claims), method, path, body);
    },
    ref: (service, subject) => `${services[service].issuer}#${subject}`,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await Promise.all([services.company.stop(), services.partner.stop(), rm(folder, { recursive: true })]);
    },
  };
}

function tokenOf(service: OauthService, signer: SigningKey, subject: string, claims: Record<string, unknown>): Promise<string> {
  return service.sign(signer, { sub: subject, tenant_id: 'company', roles: ['developer'], scope: 'llm:*:*', ...claims });
}

/** Benchmark of authentication and the permission decision, with a cached and with a new token. Runs in this process, without HTTP. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { createAuthenticator } from '../src/auth/authenticator.ts';
import { createCredentials, type Credentials } from '../src/auth/credentials.ts';
import { decide } from '../src/auth/decide.ts';
import { issuerSettings } from '../src/auth/issuer-settings.ts';
import { issuerSpec } from '../src/auth/issuer-spec.ts';
import { compileGrants } from '../src/config/grant-index.ts';
import type { Logger } from '../src/types/logger.ts';
import type { Capability, GrantIndex } from '../src/types/access.ts';
import { personRef } from '../src/types/person.ts';
import { grantSpec } from '../src/types/resources.ts';
import type { Snapshot } from '../src/types/snapshot.ts';
import { median } from './measure.ts';
import type { Row } from './report.ts';

const people = 1_000;
const callsOfEach = 20;
const coldTokens = 300;
const budget = 5;

const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => silent };
const arrival = { snapshot: { key: () => undefined } as unknown as Snapshot, address: '127.0.0.1', method: 'POST' };
const audience = 'bench';

/** Each user has a grant of their own for the model: the longest path through the decision. */
const grantsFor = (issuer: string): GrantIndex =>
  compileGrants(
    Array.from({ length: people }, (_, index) => ({
      id: `g${index}`,
      target: 'row-bench',
      spec: grantSpec.parse({
        subject_type: 'user',
        subject: personRef({ issuer, subject: `person-${index}` }),
        capability: 'model/bench',
        action: 'use',
      }),
    })),
  );
const capability: Capability = { kind: 'model', name: 'bench', tenant: 'default', owner: 'owner', tags: ['chat'], row: 'row-bench' };

/** A new string for each call, as from the network, so that nothing cached on the string is reused. */
const headersOf = (token: string) => ({ authorization: Buffer.from(`Bearer ${token}`).toString('latin1') });

async function admitAll(credentials: Credentials, tokens: readonly string[]): Promise<void> {
  for (const token of tokens) await credentials.admit(headersOf(token), arrival);
}

/** Microseconds for one cached token and one decision. */
function warmWindow(credentials: Credentials, grants: GrantIndex, tokens: readonly string[]): number {
  const calls = Array.from({ length: callsOfEach }, () => tokens.map(headersOf)).flat();
  const now = Date.now();
  const started = performance.now();
  for (const headers of calls) {
    const principal = credentials.admit(headers, arrival);
    if (principal instanceof Promise) throw new Error('a known token was verified anew');
    if (!decide(principal, 'use', capability, grants, now).allowed) throw new Error('the decision is wrong');
  }
  return ((performance.now() - started) * 1_000) / calls.length;
}

/** The rows of the report. */
export async function decisionRows(work: string, windows: number): Promise<readonly Row[]> {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' };
  const service = createServer((request, response) => {
    const document = { issuer, jwks_uri: `${issuer}/jwks` };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(request.url === '/jwks' ? { keys: [jwk] } : document));
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
  const settings = issuerSettings(issuerSpec.parse({ issuer, preset: 'generic', audiences: [audience] }));
  const authenticator = createAuthenticator({ issuers: [settings], logger: silent });
  const credentials = createCredentials({
    authenticator,
    apiKeys: null,
    exchange: null,
    browser: null,
    isBlocked: () => false,
    tokenHeader: null,
  });
  const sign = (index: number): Promise<string> =>
    new SignJWT({ roles: ['user'], scope: 'llm:model:view llm:model:use llm:skill:use llm:mcp:use', preferred_username: `Person ${index}` })
      .setProtectedHeader({ alg: 'RS256', kid: 'k1', typ: 'at+jwt' })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject(`person-${index}`)
      .setIssuedAt()
      .setExpirationTime('1h')
      .setJti(String(Math.random()))
      .sign(privateKey);
  try {
    const tokens = await Promise.all(Array.from({ length: people }, (_, index) => sign(index)));
    await admitAll(credentials, tokens);
    const grants = grantsFor(issuer);
    warmWindow(credentials, grants, tokens);
    const warm = Array.from({ length: windows }, () => warmWindow(credentials, grants, tokens));
    const cold: number[] = [];
    for (let window = 0; window < windows; window++) {
      const fresh = await Promise.all(Array.from({ length: coldTokens }, (_, index) => sign(index)));
      const started = performance.now();
      await admitAll(credentials, fresh);
      cold.push(((performance.now() - started) * 1_000) / coldTokens);
    }
    const size = tokens[0]?.length ?? 0;
    return [
      {
        work: `${work}, warm`,
        bare: '',
        pailou: `${median(warm).toFixed(2)} µs`,
        ratio: null,
        budget: `< ${budget} µs`,
        within: median(warm) < budget,
        note: `slowest window ${Math.max(...warm).toFixed(2)} µs; ${people.toLocaleString('en')} people, each with a grant; tokens of ${size} bytes`,
      },
      {
        work: `${work}, cold`,
        bare: '',
        pailou: `${median(cold).toFixed(0)} µs`,
        ratio: null,
        budget: '',
        within: null,
        note: `RS256, one after the other; slowest window ${Math.max(...cold).toFixed(0)} µs`,
      },
    ];
  } finally {
    authenticator.close();
    service.close();
    service.closeAllConnections();
  }
}

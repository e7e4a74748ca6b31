/** An OAuth2 service for the benchmark: a discovery document, one signing key, and tokens for any number of people. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

export interface BenchIssuer {
  readonly issuer: string;
  readonly audience: string;
  sign(subject: string, role: 'admin' | 'user'): Promise<string>;
  stop(): void;
}

const audience = 'bench';
const permissions = ['model', 'skill', 'mcp'].flatMap((kind) => ['view', 'use', 'manage'].map((act) => `llm:${kind}:${act}`)).join(' ');

export async function startIssuer(): Promise<BenchIssuer> {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' };
  const service = createServer((request, response) => {
    const document = { issuer, jwks_uri: `${issuer}/jwks`, token_endpoint: `${issuer}/token` };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(request.url === '/jwks' ? { keys: [jwk] } : document));
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
  return {
    issuer,
    audience,
    sign: (subject, role) =>
      new SignJWT({ roles: [role], scope: permissions, preferred_username: subject })
        .setProtectedHeader({ alg: 'RS256', kid: 'k1', typ: 'at+jwt' })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(subject)
        .setIssuedAt()
        .setExpirationTime('4h')
        .setJti(String(Math.random()))
        .sign(privateKey),
    stop() {
      service.close();
      service.closeAllConnections();
    },
  };
}

/** Userinfo for JWT access tokens. oidc-provider supports opaque tokens only; the Spring service that this one imitates supports both. */
import { createPublicKey } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type JWK, jwtVerify } from 'jose';
import { personOf, profileOf } from './people.ts';

/** The path that discovery publishes. */
const userinfoPath = '/me';

/** Answers a userinfo request with a JWT that `key` signed. Resolves to false for any other request. */
export async function answerUserinfo(request: IncomingMessage, response: ServerResponse, key: JWK, issuer: string): Promise<boolean> {
  if (request.method !== 'GET' || request.url?.split('?', 1)[0] !== userinfoPath) return false;
  const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) return false;
  try {
    const { payload } = await jwtVerify(token, createPublicKey({ key, format: 'jwk' }), { issuer, requiredClaims: ['exp'] });
    const person = personOf(payload.sub);
    if (person === undefined) return false;
    response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' });
    response.end(JSON.stringify(profileOf(person)));
    return true;
  } catch {
    // oidc-provider answers it with the standard error.
    return false;
  }
}

/** Userinfo for the gateway's own JWTs: oidc-provider answers it for opaque tokens only, but Spring's service, which this stands in for, does. */
import { createPublicKey } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type JWK, jwtVerify } from 'jose';
import { personOf, profileOf } from './people.ts';

/** Where oidc-provider has it; discovery says so. */
const userinfoPath = '/me';

/** Answers the request if it is one for userinfo with a JWT that `key` signed. Else does nothing and resolves to false. */
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
    // oidc-provider refuses it in the standard form.
    return false;
  }
}

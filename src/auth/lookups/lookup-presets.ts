/** Standard look-ups of OAuth2 services, as data. */
import type { HttpLookup } from '../issuer.ts';

const plain: HttpLookup = {
  kind: 'http',
  url: '',
  method: 'GET',
  headers: {},
  query: {},
  form: {},
  asClient: null,
  refusedStatuses: [401, 403],
  refused: [],
  success: [],
  result: null,
  about: null,
  list: null,
};

/** OpenID Connect Core 5.3. An answer about another subject must not be used (5.3.2). */
export const userinfo: HttpLookup = {
  ...plain,
  url: { discovered: 'userinfo_endpoint' },
  headers: { authorization: 'Bearer {token}' },
  about: { path: 'sub', optional: false },
};

/** RFC 7662. A 401 concerns Pailou's own credentials, not the token. */
export const introspection: HttpLookup = {
  ...plain,
  url: { discovered: 'introspection_endpoint' },
  method: 'POST',
  form: { token: '{token}', token_type_hint: 'access_token' },
  asClient: 'basic',
  refusedStatuses: [],
  refused: [{ path: 'active', is: [false] }],
  success: [{ path: 'active', is: [true] }],
  about: { path: 'sub', optional: true },
};

/** Spring Security OAuth before the Authorization Server: an invalid token is a 400. `active` exists only in later versions, and only for valid tokens. */
export const checkToken: HttpLookup = {
  ...plain,
  url: '/oauth/check_token',
  method: 'POST',
  form: { token: '{token}' },
  asClient: 'basic',
  refusedStatuses: [400],
  refused: [{ path: 'active', is: [false] }],
  success: [{ path: 'error', is: [null] }],
};

/** The user info endpoint of a back end that wraps its answers as `{code, msg, data}` with status 200 for every result. */
export function envelopeLookup(url: string, successCode: number, result: string | null): HttpLookup {
  return {
    ...plain,
    url,
    headers: { authorization: 'Bearer {token}' },
    refused: [{ path: 'code', is: [401, 403, '401', '403'] }],
    success: [{ path: 'code', is: [successCode, String(successCode)] }],
    result,
  };
}

/** Keycloak's Admin REST API: whether the account is enabled, then its realm roles, composite ones included. `url` is the address of the realm there. */
export function keycloakUserLookups(url: string): readonly HttpLookup[] {
  const user: HttpLookup = { ...plain, url: `${url}/users/{subject}`, asClient: 'token', refusedStatuses: [404] };
  return [
    { ...user, refused: [{ path: 'enabled', is: [false] }], about: { path: 'id', optional: false } },
    { ...user, url: `${url}/users/{subject}/role-mappings/realm/composite`, list: { field: 'roles', each: 'name' } },
  ];
}

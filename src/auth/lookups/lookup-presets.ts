/** The questions that OAuth2 services usually answer, as data. */
import type { HttpLookup } from '../issuer.ts';

const plain: HttpLookup = {
  kind: 'http',
  url: '',
  method: 'GET',
  headers: {},
  query: {},
  form: {},
  asClient: false,
  refusedStatuses: [401, 403],
  refused: [],
  success: [],
  result: null,
  about: null,
};

/** OpenID Connect Core 5.3. An answer about somebody else must not be used (5.3.2). */
export const userinfo: HttpLookup = {
  ...plain,
  url: { discovered: 'userinfo_endpoint' },
  headers: { authorization: 'Bearer {token}' },
  about: { path: 'sub', optional: false },
};

/** RFC 7662. A 401 is about Pailou's own credentials, not about the token. */
export const introspection: HttpLookup = {
  ...plain,
  url: { discovered: 'introspection_endpoint' },
  method: 'POST',
  form: { token: '{token}', token_type_hint: 'access_token' },
  asClient: true,
  refusedStatuses: [],
  refused: [{ path: 'active', is: [false] }],
  success: [{ path: 'active', is: [true] }],
  about: { path: 'sub', optional: true },
};

/** Spring Security OAuth before the Authorization Server: a bad token is a 400; `active` came late, and only for good ones. */
export const checkToken: HttpLookup = {
  ...plain,
  url: '/oauth/check_token',
  method: 'POST',
  form: { token: '{token}' },
  asClient: true,
  refusedStatuses: [400],
  refused: [{ path: 'active', is: [false] }],
  success: [{ path: 'error', is: [null] }],
};

/** A person's own page of a back end whose answers are wrapped: `{code, msg, data}`, status 200 whatever happened. */
export function envelopeLookup(url: string, good: number, result: string | null): HttpLookup {
  return {
    ...plain,
    url,
    headers: { authorization: 'Bearer {token}' },
    refused: [{ path: 'code', is: [401, 403, '401', '403'] }],
    success: [{ path: 'code', is: [good, String(good)] }],
    result,
  };
}

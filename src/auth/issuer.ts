/** Settings of one accepted OAuth2 service and of its token format. Plain data. */
import type { ProxyServer } from '../types/proxy.ts';

/** Fields that a look-up can name directly. */
export type LookupField = 'username' | 'tenant' | 'roles' | 'permissions';

export type PrincipalField = 'subject' | 'username' | 'tenant' | 'roles' | 'permissions' | 'client';

/** Paths in order; for lists all of them are joined. Segments are separated by dots; `a\.b` is one key with a dot. */
export type ClaimPaths = Readonly<Record<PrincipalField, readonly string[]>>;

/** Maps names of the service to names of Pailou. */
export type NameMap = Readonly<Record<string, string>>;

export interface ClaimMapping {
  readonly paths: ClaimPaths;
  /** The paths in answers to look-ups, where they differ from those of tokens. */
  readonly lookupPaths: Partial<ClaimPaths>;
  /** The prefix that is removed from role names, e.g. `ROLE_`. */
  readonly rolePrefix: string;
  /** Role names or ids of the service, with or without the prefix, to Pailou's roles. */
  readonly roleMap: NameMap;
  /** Only roles that match one of these count, by the service's name; `*` matches any characters. */
  readonly rolesOnly: readonly string[];
  /** Roles that match one of these do not count. */
  readonly rolesIgnored: readonly string[];
  /** The prefix that is removed from codes, e.g. `SCOPE_`. */
  readonly permissionPrefix: string;
  /** Codes of the service to Pailou's nine codes. */
  readonly permissionMap: NameMap;
  /** The tenant of all principals of this issuer. Null: tokens name the tenant. */
  readonly tenant: string | null;
  /** The highest roles and codes of this issuer; null for no limit. */
  readonly maxRoles: readonly string[] | null;
  readonly defaultTenant: string;
  /** `oauth`: the codes come from the service. `role_defaults`: they are derived from the role. */
  readonly permissionSource: 'oauth' | 'role_defaults';
  /** Whether `*` in a code such as `*:*:*` or `llm:model:*` matches any segment. */
  readonly wildcards: boolean;
  /** The role of a service account without roles. It reaches what was granted to it. */
  readonly serviceRole: string;
  /** The prefix before the client in a service account's username, when its subject is not the client. */
  readonly serviceUsername: string | null;
}

/** Pailou's own client at the service. */
export interface ServiceClient {
  readonly id: string;
  readonly secret: string;
  /** The requested scope of a sign-in; null for `openid profile`. */
  readonly scope: string | null;
  /** The token endpoint for look-ups; null for the one of the discovery document. */
  readonly tokenUrl: string | null;
  /** The requested scope of the token for look-ups. */
  readonly lookupScope: string | null;
}

/** The source of the keys that sign tokens. */
export type KeySource =
  | { readonly from: 'discovery' }
  | { readonly from: 'jwks'; readonly url: string }
  /** Spring's `/oauth/token_key`: `{alg, value}` with a public key as PEM. */
  | { readonly from: 'token_key'; readonly url: string }
  | { readonly from: 'pem'; readonly pem: string }
  /** HMAC: the verifier of such tokens can also create them. */
  | { readonly from: 'secret'; readonly secret: string };

/** A condition on an answer: the value at `path` is one of these. Null matches a missing value. */
export interface Condition {
  readonly path: string;
  readonly is: readonly (string | number | boolean | null)[];
}

/** An HTTP request to the service about a token or a person. Values may contain `{token}`, `{subject}` and `{username}`; the URL may contain the last two. */
export interface HttpLookup {
  readonly kind: 'http';
  /** A URL, or the entry of the discovery document that holds it. */
  readonly url: string | { readonly discovered: 'userinfo_endpoint' | 'introspection_endpoint' };
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly form: Readonly<Record<string, string>>;
  /** `basic`: sends Pailou's own client id and secret. `token`: sends a token of Pailou's own client (RFC 6749 4.4). */
  readonly asClient: 'basic' | 'token' | null;
  /** Statuses that mean that the token is invalid. */
  readonly refusedStatuses: readonly number[];
  /** A match of any of these in the answer means that the token is invalid. */
  readonly refused: readonly Condition[];
  /** All of these must match. Otherwise the look-up fails and the call is refused. */
  readonly success: readonly Condition[];
  /** The path of the relevant part of the answer; null for the whole answer. */
  readonly result: string | null;
  /** The path of the subject within that part, which must equal the token's subject. `optional`: only when present. */
  readonly about: { readonly path: string; readonly optional: boolean } | null;
  /** For an answer that is a list: the field that the list is, and the path of the name in each entry (null: each entry is a name). */
  readonly list: { readonly field: LookupField; readonly each: string | null } | null;
}

/** Read-only queries in the service's own database, with the parameters `:subject` and `:username`. */
export interface SqlLookup {
  readonly kind: 'sql';
  /** postgres://… or mysql://… */
  readonly url: string;
  /** One query for each field; its result is the first column of each row. */
  readonly queries: Readonly<Partial<Record<LookupField, string>>>;
}

export type Lookup = HttpLookup | SqlLookup;

export interface IssuerSettings {
  /** As in the `iss` claim and in discovery. For tokens without `iss`: the configured name. */
  readonly issuer: string;
  /** `jwt`: Pailou verifies the token. `opaque`: the first look-up verifies each token at the service. */
  readonly tokens: 'jwt' | 'opaque';
  /** False: its tokens are JWTs without `iss`. */
  readonly named: boolean;
  /** The base URL for discovery, without a trailing slash. */
  readonly baseUrl: string;
  /** The proxy on the way to the service; null for none. Absent: as the environment says. */
  readonly proxy?: ProxyServer | null;
  readonly keys: KeySource;
  readonly client: ServiceClient | null;
  /** One of these must be in `aud`. Empty: no requirement. */
  readonly audiences: readonly string[];
  /** One of these must be in azp, client_id or aud. Empty: no requirement. */
  readonly allowedClients: readonly string[];
  /** Requests about each person. A returned field replaces the token's claims for it; later answers replace earlier ones. A service account with a JWT has no person, so its token's claims count. */
  readonly lookups: readonly Lookup[];
  readonly mapping: ClaimMapping;
}

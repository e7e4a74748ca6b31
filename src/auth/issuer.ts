/** One OAuth2 service whose tokens are taken, and how its tokens are read. Plain data. */

export type PrincipalField = 'subject' | 'username' | 'tenant' | 'roles' | 'permissions' | 'client';

/** Paths to look at, in order; for lists all of them are joined. A path is dotted; `a\.b` stands for one key with a dot. */
export type ClaimPaths = Readonly<Record<PrincipalField, readonly string[]>>;

/** The name of something at the service, to ours. */
export type NameMap = Readonly<Record<string, string>>;

export interface ClaimMapping {
  readonly paths: ClaimPaths;
  /** Taken off role names, e.g. `ROLE_`. */
  readonly rolePrefix: string;
  /** Names of the service's roles (or ids), with or without the prefix, to ours. */
  readonly roleMap: NameMap;
  /** Only roles that fit one of these count, as the service names them; `*` stands for any letters. */
  readonly rolesOnly: readonly string[];
  /** Roles that fit one of these do not count. */
  readonly rolesIgnored: readonly string[];
  /** Taken off codes, e.g. `SCOPE_`. */
  readonly permissionPrefix: string;
  /** The service's own codes to ours, where it does not use the nine. */
  readonly permissionMap: NameMap;
  /** The tenant of everybody from this issuer, whatever a token says; null: tokens say it. */
  readonly tenant: string | null;
  /** The most that its roles may be, codes included; null for any. */
  readonly maxRoles: readonly string[] | null;
  readonly defaultTenant: string;
  /** `oauth`: the codes come from the service. `role_defaults`: they follow from the role. */
  readonly permissionSource: 'oauth' | 'role_defaults';
  /** Whether `*` in a code such as `*:*:*` or `llm:model:*` stands for everything at its place. */
  readonly wildcards: boolean;
  /** The role of a service account to which the service gives none: it reaches what was granted to it. */
  readonly serviceRole: string;
  /** Where the subject of a service account is not its client: what stands before the client in the username. */
  readonly serviceUsername: string | null;
}

/** What Pailou itself is at the service. */
export interface ServiceClient {
  readonly id: string;
  readonly secret: string;
  /** What is asked for when a person signs in; null for `openid profile`. */
  readonly scope: string | null;
}

/** Where the keys come from with which tokens are signed. */
export type KeySource =
  | { readonly from: 'discovery' }
  | { readonly from: 'jwks'; readonly url: string }
  /** Spring's `/oauth/token_key`: `{alg, value}` with a public key as PEM. */
  | { readonly from: 'token_key'; readonly url: string }
  | { readonly from: 'pem'; readonly pem: string }
  /** HMAC: whoever checks such tokens can also make them. */
  | { readonly from: 'secret'; readonly secret: string };

/** Something about an answer: what lies at `path` is one of these; null stands for nothing there. */
export interface Condition {
  readonly path: string;
  readonly is: readonly (string | number | boolean | null)[];
}

/** A question to the service about a token, over HTTP. In values, `{token}`, `{subject}` and `{username}` are filled in. */
export interface HttpLookup {
  readonly kind: 'http';
  /** An address, or the name of the entry of the discovery document that holds it. */
  readonly url: string | { readonly discovered: 'userinfo_endpoint' | 'introspection_endpoint' };
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly form: Readonly<Record<string, string>>;
  /** Sends Pailou's own client id and secret (HTTP Basic). */
  readonly asClient: boolean;
  /** Statuses by which the service says that the token is not good. */
  readonly refusedStatuses: readonly number[];
  /** Any of these in the answer says the same. */
  readonly refused: readonly Condition[];
  /** All of these must hold, else nothing is known, and nobody is let in. */
  readonly success: readonly Condition[];
  /** The part of the answer that counts; null for all of it. */
  readonly result: string | null;
  /** Who the answer is about, within that part: must be the token's subject. `optional`: if it says so at all. */
  readonly about: { readonly path: string; readonly optional: boolean } | null;
}

/** Read-only queries in the service's own database. Names after a colon are filled in: `:subject`, `:username`. */
export interface SqlLookup {
  readonly kind: 'sql';
  /** postgres://… or mysql://… */
  readonly url: string;
  /** One query for each field; the first column of each row counts. */
  readonly queries: Readonly<Partial<Record<PrincipalField, string>>>;
}

export type Lookup = HttpLookup | SqlLookup;

export interface IssuerSettings {
  /** As in the `iss` claim and in discovery; where tokens do not name it, the name by which it is known here. */
  readonly issuer: string;
  /** `jwt`: the token is verified here. `opaque`: the service is asked about each token by the first look-up. */
  readonly tokens: 'jwt' | 'opaque';
  /** False: its tokens are JWTs without `iss`. */
  readonly named: boolean;
  /** Where discovery is asked, without a slash at the end. */
  readonly baseUrl: string;
  readonly keys: KeySource;
  readonly client: ServiceClient | null;
  /** One of these must be in `aud`; empty for no such demand. */
  readonly audiences: readonly string[];
  /** One of these must be azp, client_id or in aud; empty for no such demand. */
  readonly allowedClients: readonly string[];
  /**
   * What the service is asked about each person. Where it says anything of a field, the token's claims for it do not count; of several
   * answers the later ones count. A service account with a JWT is no person, so its token's claims count.
   */
  readonly lookups: readonly Lookup[];
  readonly mapping: ClaimMapping;
}

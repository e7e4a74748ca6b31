/** One OAuth2 service whose tokens are taken, and how its tokens are read. Plain data. */

export type PrincipalField = 'subject' | 'username' | 'tenant' | 'roles' | 'permissions' | 'client';

/** Paths to look at, in order; for lists all of them are joined. A path is dotted; `a\.b` stands for one key with a dot. */
export type ClaimPaths = Readonly<Record<PrincipalField, readonly string[]>>;

export interface ClaimMapping {
  readonly paths: ClaimPaths;
  /** Taken off role names, e.g. `ROLE_`. */
  readonly rolePrefix: string;
  /** Names of the service's roles (or ids), with or without the prefix, to ours. */
  readonly roleMap: Readonly<Record<string, string>>;
  readonly defaultTenant: string;
  /** `oauth`: the codes come from the service. `role_defaults`: they follow from the role. */
  readonly permissionSource: 'oauth' | 'role_defaults';
  /** Whether `*` in a code such as `*:*:*` or `llm:model:*` stands for everything at its place. */
  readonly wildcards: boolean;
  /** The role of a service account to which the service gives none: it reaches what was granted to it. */
  readonly serviceRole: string;
}

export interface IssuerSettings {
  /** As in the `iss` claim and in discovery. */
  readonly issuer: string;
  /** One of these must be in `aud`; empty for no such demand. */
  readonly audiences: readonly string[];
  /** One of these must be azp, client_id or in aud; empty for no such demand. */
  readonly allowedClients: readonly string[];
  /**
   * `userinfo`: the service is asked about each person, and what it says replaces the token's claim at the same path.
   * A service account is no person, so its token's claims count.
   */
  readonly lookup: 'claims' | 'userinfo';
  readonly mapping: ClaimMapping;
}
